/** The formulas of docs/spec in arbitrary precision, written from the definitions: what the fast functions are compared with. */

export const M = (1n << 31n) - 1n;

export function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return q * b !== a && a < 0n !== b < 0n ? q - 1n : q;
}

export function ceilDiv(a: bigint, b: bigint): bigint {
  return -floorDiv(-a, b);
}

export function rneDiv(a: bigint, b: bigint): bigint {
  const q = floorDiv(a, b);
  const twice = 2n * (a - q * b);
  return twice > b || (twice === b && (q & 1n) === 1n) ? q + 1n : q;
}

export function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function bitLength(n: bigint): bigint {
  return n === 0n ? 0n : BigInt(n.toString(2).length);
}

/** `sexp`, not saturated. */
export function exactShiftExp(x: bigint, x0: bigint, n: bigint): bigint {
  const t = max(x + (x >> 1n) - (x >> 4n), n * x0);
  const q = floorDiv(t, x0);
  const r = t - x0 * q;
  return q === n ? -x0 : (r - 2n * x0) << (n - q - 1n);
}

export function exactSoftmaxShift(x: readonly number[], x0: number, n: number, bits: bigint): number[] {
  const largest = BigInt(Math.max(...x));
  const e = x.map((value) => exactShiftExp(BigInt(value) - largest, BigInt(x0), BigInt(n)));
  return normalize(e, bits);
}

export function exactSoftmaxTable(x: readonly number[], table: readonly number[], bits: bigint): number[] {
  const largest = Math.max(...x);
  return normalize(
    x.map((value) => BigInt(table[Math.min(largest - value, table.length - 1)] as number)),
    bits,
  );
}

function normalize(e: readonly bigint[], bits: bigint): number[] {
  const f = floorDiv(
    M,
    min(
      e.reduce((sum, value) => sum + value, 0n),
      M,
    ),
  );
  return e.map((value) => Number(min((value * f) >> (32n - bits), (1n << (bits - 1n)) - 1n)));
}

/** `rne(2^15·2^(g/2^F))` by comparing 2^F-th powers of integers. */
export function exactPow2Table(fraction: number): number[] {
  const power = 1n << BigInt(fraction);
  return Array.from({ length: Number(power) }, (_, g) => {
    const target = 1n << (15n * power + BigInt(g));
    let low = 1n << 15n; // low^power ≤ target < high^power
    let high = 1n << 16n;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** power <= target) low = middle;
      else high = middle;
    }
    return Number((2n * low + 1n) ** power < target << power ? low + 1n : low);
  });
}

export function exactSoftmaxPow2(
  x: readonly number[],
  fraction: number,
  table: readonly number[],
  bits: bigint,
): number[] {
  const largest = BigInt(Math.max(...x));
  const shift = BigInt(fraction);
  const e = x.map((value) => {
    const d = largest - BigInt(value);
    const i = (d + (1n << shift) - 1n) >> shift;
    const g = (i << shift) - d;
    return i > 31n ? 0n : BigInt(table[Number(g)] as number) >> i;
  });
  const s = e.reduce((sum, value) => sum + value, 0n);
  const h = max(0n, bitLength(s) - 16n);
  const r = floorDiv(M, s >> h);
  const top = (1n << (bits - 1n)) - 1n;
  return e.map((value) => Number(min((value * r + (1n << (31n - bits + h))) >> (32n - bits + h), top)));
}

export function exactShiftGelu(x: readonly number[], x0: number, n: number): number[] {
  const p = BigInt(Math.max(...x));
  const f = min(exactShiftExp(-p, BigInt(x0), BigInt(n)), M);
  return x.map((value) => {
    const e = exactShiftExp(BigInt(value) - p, BigInt(x0), BigInt(n));
    return value * Number(min((e * floorDiv(M, min(e + f, M))) >> 24n, 127n)) + 0;
  });
}

export function exactNewton(v: bigint): bigint {
  let k = 1n << 16n;
  for (let step = 0; step < 10; step++) k = (k + floorDiv(v, k)) >> 1n;
  return k;
}

export function exactLayerNorm(x: readonly number[], bias: readonly number[] | null): number[] {
  const integers = x.map((value) => BigInt(value));
  const mean = rneDiv(
    integers.reduce((sum, value) => sum + value, 0n),
    BigInt(x.length),
  );
  const v = integers.reduce((sum, value) => sum + (value - mean) ** 2n, 0n);
  const f = floorDiv(M, exactNewton(v));
  return integers.map((value, c) =>
    Number((((value - mean) * f) >> 1n) + BigInt(bias === null ? 0 : (bias[c] as number))),
  );
}

export function exactRowCode(x: readonly number[], cp: readonly number[], cn: readonly number[]): number {
  let d = 16n;
  x.forEach((value, c) => {
    const positive = BigInt(Math.max(value, 0));
    const negative = BigInt(Math.max(-value, 0));
    d = max(d, ceilDiv(16n * positive, BigInt(cp[cp.length === 1 ? 0 : c] as number)));
    d = max(d, ceilDiv(16n * negative, BigInt(cn[cn.length === 1 ? 0 : c] as number)));
  });
  let e = max(0n, bitLength(d) - 5n);
  let f = ceilDiv(d, 1n << e);
  if (f === 32n) {
    f = 16n;
    e += 1n;
  }
  return Number(16n * e + f - 16n);
}

export function exactRowQuantize(value: number, code: number, z: number, slot: number): number {
  const e = BigInt(code >> 4);
  const f = BigInt(16 + (code & 15));
  const v = (BigInt(value) * rneDiv(1n << 19n, f) + (1n << (14n + e))) >> (15n + e);
  return Number(min(max(v + BigInt(z) - 255n * BigInt(slot), -128n), 127n));
}
