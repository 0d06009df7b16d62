/**
 * Rounding by the double's own rounding, shared by the array loops.
 *
 * Narrow (`wide` false; the caller proved every numerator below 2^52 in absolute value): with MAGIC = 1.5·2^52,
 * `(p·2^-e + MAGIC) - MAGIC` is rne(p/2^e) exactly. Proof: p·2^-e is exact (only the exponent changes) and, for e ≥ 1,
 * below 2^51, so the sum lies in [2^52, 2^53], where doubles are the integers: IEEE 754 rounds the exact sum to the
 * nearest integer, ties to even, and MAGIC is even, so ties go to the even quotient. The subtraction is exact. The
 * result is never -0. For e = 0 there is nothing to round (MAGIC is replaced by 0).
 *
 * Wide (|numerator| < 2^62): the same on the rounded numerator; its error is below 2^10 (a product below 2^63 and a sum
 * below 2^62, half an ulp each), so the quotient's error is below 2^(10-e). If the approximate quotient is no nearer than
 * 2^(11-e) to a tie, the rounding is the exact one; else (about once in 2^(e-12) elements) the exact path decides.
 * For e < 12 always the exact path.
 */
import { INVERSE_POW2 } from './powers.js';
import { requantizeExact, requantizeOne, requantizeSumExact } from './requantize.js';

/** Added and subtracted: rounds to nearest, ties to even. */
export const MAGIC = 6755399441055744; // 1.5 * 2^52

function guards(): readonly number[] {
  const table: number[] = [];
  for (let e = 0; e <= 62; e++) table.push(e < 12 ? -1 : 0.5 - 2048 * (INVERSE_POW2[e] as number));
  return table;
}

/** Largest distance from the rounded quotient that proves the rounding, per e. */
const GUARD: readonly number[] = /* @__PURE__ */ guards();

/** rne(x·m/2^e) by the filter, |x·m| < 2^62. */
export function roundWide(x: number, m: number, e: number): number {
  const approximate = x * m * (INVERSE_POW2[e] as number);
  const q = approximate + MAGIC - MAGIC;
  const distance = approximate - q;
  const guard = GUARD[e] as number;
  return distance <= guard && distance >= -guard ? q : requantizeOne(x, m, e);
}

/** Both terms by the filter; below e = 12 a term may be huge, so the exact sum decides. */
export function sumWide(x: number, m: number, e: number, a: number, ma: number, ea: number): number {
  if (e < 12 && ea < 12) return requantizeSumExact(x, m, 0, 0, 0, e, a, ma, ea);
  return roundWide(x, m, e) + roundWide(a, ma, ea);
}

/** rne((x·f·m·2^E + bias·2^k)/2^e) by the filter; `factor` = f·2^E. */
export function roundDynamicWide(
  x: number,
  code: number,
  factor: number,
  m: number,
  bias: number,
  biasFactor: number,
  k: number,
  e: number,
): number {
  const approximate = (x * factor * m + bias * biasFactor) * (INVERSE_POW2[e] as number);
  const q = approximate + MAGIC - MAGIC;
  const distance = approximate - q;
  const guard = GUARD[e] as number;
  if (distance <= guard && distance >= -guard) return q;
  return requantizeExact(x * (16 + (code & 15)), m, code >> 4, bias, k, e);
}
