/** The definitions, in arbitrary precision: what every function of this package is compared with. */

export function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return q * b !== a && a < 0n !== b < 0n ? q - 1n : q;
}

/** Nearest integer to a/b, b > 0, ties to even. */
export function rneDiv(a: bigint, b: bigint): bigint {
  const q = floorDiv(a, b);
  const twice = 2n * (a - q * b);
  return twice > b || (twice === b && (q & 1n) === 1n) ? q + 1n : q;
}

export function clampTo(x: bigint, lo: number, hi: number): number {
  return x < BigInt(lo) ? lo : x > BigInt(hi) ? hi : Number(x);
}

/** ±2^i + {-2 … 2} for every i below `bits`, and 0: where carries, signs and ties change. */
export function boundary(bits: number): number[] {
  const limit = 2 ** bits;
  const values = new Set<number>([0]);
  for (let i = 0; i <= bits; i++) {
    for (let d = -2; d <= 2; d++) {
      for (const value of [2 ** i + d, -(2 ** i) + d]) if (value < limit && value >= -limit) values.add(value);
    }
  }
  return [...values].map((value) => value + 0);
}

/** Numbers in -limit … limit - 1 that are often at a boundary or half-way. */
export const INT32_BOUNDARY: readonly number[] = boundary(31);
