/** The field's other nonlinear functions in arbitrary precision, written from the papers' definitions. */
import { exactShiftExp, floorDiv, M, max, min, rneDiv } from './exact.js';

export function exactPolynomialExp(
  x: number,
  p: { readonly ln2: number; readonly b: number; readonly c: number; readonly n: number; readonly square: boolean },
): bigint {
  const ln2 = BigInt(p.ln2);
  const b = BigInt(p.b);
  const t = max(BigInt(x), -30n * ln2);
  const z = floorDiv(-t, ln2);
  const r = t + z * ln2;
  const polynomial = (r + b) * (p.square ? r + b : r) + BigInt(p.c);
  return floorDiv(polynomial << BigInt(p.n), 1n << z);
}

/** r of the definition by search, not by bit lengths: the smallest code whose power passes r at the middle. */
export function exactLog2Code(e: bigint, sum: bigint, most: number): number {
  if (e === 0n) return most;
  const r = rneDiv(sum, e);
  let code = 0;
  while (code < most && 2n * r >= 3n << BigInt(code)) code += 1;
  return code;
}

export function exactIGelu(x: number, { b, c }: { readonly b: number; readonly c: number }): bigint {
  const q = BigInt(x);
  const size = q < 0n ? -q : q;
  const inner = min(size, BigInt(-b)) + BigInt(b);
  const sign = q > 0n ? 1n : q < 0n ? -1n : 0n;
  return -(q * (sign * (inner * inner + BigInt(c)) + BigInt(c)));
}

/** ShiftGELU of the row (x, 0), its first element. */
export function exactElementShiftGelu(x: number, x0: number, n: number): number {
  const q = BigInt(x);
  const p = max(q, 0n);
  const e = min(exactShiftExp(q - p, BigInt(x0), BigInt(n)), M);
  const f = min(exactShiftExp(-p, BigInt(x0), BigInt(n)), M);
  return x * Number(min((e * floorDiv(M, min(e + f, M))) >> 24n, 127n)) + 0;
}

/** ⌊√v⌋ by bisection. */
export function exactSqrt(v: bigint): bigint {
  let low = 0n;
  let high = v + 1n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle * middle <= v) low = middle;
    else high = middle;
  }
  return low;
}

export function exactSqrtLayerNorm(x: readonly number[], bias: readonly number[] | null): number[] {
  const integers = x.map((value) => BigInt(value));
  const sum = integers.reduce((total, value) => total + value, 0n);
  const mean = rneDiv(sum, BigInt(x.length));
  const v = integers.reduce((total, value) => total + (value - mean) ** 2n, 0n);
  const f = floorDiv(M, max(exactSqrt(v), 1n));
  return integers.map((value, c) => Number((((value - mean) * f) >> 1n) + BigInt(bias?.[c] ?? 0)));
}

export function exactPowerOfTwo(x: number, alpha: number, m: number, e: number, z: number): number {
  const q = rneDiv(BigInt(x) * BigInt(m), 1n << BigInt(e + alpha)) + BigInt(z);
  return Number((min(max(q, -128n), 127n) - BigInt(z)) << BigInt(alpha));
}
