import { dyadicError } from './errors.js';
import { INVERSE_POW2, POW2 } from './powers.js';

/** Largest int32, the `M` of the specification. */
export const INT32_MAX = 2147483647;

/** `min(max(x, lo), hi)` for integers lo ≤ hi. */
export function saturate(x: number, lo: number, hi: number): number {
  return x < lo ? lo : x > hi ? hi : x;
}

/**
 * `floor(a / b)` for integers |a| < 2^53, 0 < |b| < 2^53.
 *
 * Exact although the quotient is rounded: with q = floor(a/b), a wrong answer needs a quotient just below an integer v
 * to round up to v. It differs from v by at least 1/|b|, and |v·b| ≤ |a| + 1 ≤ 2^53 gives 1/|b| ≥ |v|·2^-53, which is
 * strictly more than half the spacing of doubles next to v (at most |v|·2^-53, and half of that below a power of two;
 * equality would need v a power of two). So it never rounds to v.
 */
export function divFloor(a: number, b: number): number {
  // float-ok: the floor of this rounded quotient is proved exact above; + 0 turns -0 into 0
  return Math.floor(a / b) + 0;
}

/** `rne(s / n)`: nearest integer, ties to even. Integers |s| < 2^51, 0 < n < 2^51. */
export function divRne(s: number, n: number): number {
  const q = divFloor(s, n);
  const twice = 2 * (s - q * n);
  return twice > n || (twice === n && isOdd(q)) ? q + 1 : q;
}

function isOdd(q: number): boolean {
  return q - 2 * Math.floor(q * 0.5) !== 0;
}

/** Number of bits of n: 0 for 0, else floor(log2 n) + 1. Integer 0 ≤ n < 2^53. */
export function bitLength(n: number): number {
  const high = Math.floor(n * 2.3283064365386963e-10); // 2^-32
  return high === 0 ? 32 - Math.clz32(n) : 64 - Math.clz32(high);
}

/**
 * `rne(p / 2^e)` for integers |p| < 2^53, 0 ≤ e ≤ 62: nearest, ties to even, for either sign.
 * @throws RangeError (E_DYADIC) if e is not an integer in 0 … 62.
 */
export function rneShift(p: number, e: number): number {
  if (!(e >= 0 && e <= 62) || e !== Math.floor(e)) throw dyadicError(`shift ${e} is not an integer in 0 … 62`);
  if (e === 0 || p === 0) return p + 0; // never -0
  if (e >= 54) return 0; // |p| / 2^54 < 1/2
  const scaled = p * (INVERSE_POW2[e] as number); // exact: only the exponent changes
  const q = Math.floor(scaled);
  const r = p - q * (POW2[e] as number); // exact: 0 <= r < 2^e <= 2^53
  const half = POW2[e - 1] as number;
  return r > half || (r === half && isOdd(q)) ? q + 1 : q;
}
