/** Arithmetic of the spec (docs/spec/ivit-1.md, section 2) over integers of any size. */

/** The spec's M. */
export const M: bigint = (1n << 31n) - 1n;

export function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b; // float-ok: BigInt division truncates exactly
  return quotient * b !== a && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** Nearest integer to a / b, ties to even; b > 0. */
export function rne(a: bigint, b: bigint): bigint {
  const floor = floorDiv(a, b);
  const twice = 2n * (a - floor * b);
  return twice > b || (twice === b && (floor & 1n) === 1n) ? floor + 1n : floor;
}

export function bitLength(n: bigint): bigint {
  return n === 0n ? 0n : BigInt(n.toString(2).length);
}

/** The integer exponential of I-ViT. */
export function shiftExponential(x: bigint, x0: bigint, n: bigint): bigint {
  const t = larger(x + (x >> 1n) - (x >> 4n), n * x0);
  const q = floorDiv(t, x0);
  const r = t - x0 * q;
  return q < n ? (r - 2n * x0) << (n - q - 1n) : -x0;
}

const powerTables = new Map<number, readonly bigint[]>();

/** T[g] = rne(2^15·2^(g/2^F)): the smallest y with (2y + 1)^(2^F) ≥ 2^(16·2^F + g), for g = 0 … 2^F - 1. */
export function powerTable(octave: number): readonly bigint[] {
  let table = powerTables.get(octave);
  if (table === undefined) {
    const steps = 1 << octave;
    const entries: bigint[] = [];
    let lo = 1n << 15n;
    for (let g = 0; g < steps; g++) {
      const target = 1n << BigInt(16 * steps + g);
      // Bisection between the entry before, which is no larger, and 2^16.
      let hi = 1n << 16n;
      while (lo < hi) {
        const y = (lo + hi) >> 1n;
        const power = (2n * y + 1n) ** BigInt(steps); // float-ok: a power of BigInts is exact
        if (power < target) lo = y + 1n;
        else hi = y;
      }
      entries.push(lo);
    }
    table = entries;
    powerTables.set(octave, table);
  }
  return table;
}
