/**
 * i-GELU (Kim et al., "I-BERT: Integer-only BERT Quantization", ICML 2021, section 3.4.1, algorithms 1 and 2): erf by a
 * second-order polynomial, erf(t) ≈ sgn(t)·(a·(min(|t|, -β) + β)² + 1) with a = -0.2888, β = -1.769.
 *
 * With t = x/√2, b = floor(β/s_t) < 0 and c = floor(1/(a·s_t²)) < 0, s_t the scale of t:
 *   L = sgn(x)·((min(|x|, -b) + b)² + c);   y = x·(L + c)
 * L and y are at negative scales (a·s_t², s·a·s_t²/2): here both signs are turned, so that y has the positive unit
 * s·|a|·s_t²/2. Beyond |x| = -b, L is ±c and y is 0 or -2c·x.
 */
import { nonlinearError } from './errors.js';

/** Integers of one i-GELU, from `iGeluParameters`. */
export interface IGelu {
  /** Negative: floor(-1.769/s_t). */
  readonly b: number;
  /** Negative: floor(1/(-0.2888·s_t²)). */
  readonly c: number;
}

/** @throws RangeError (E_NONLINEAR) unless b and c are negative integers with b² ≤ -2c + 2·|b|, |c| < 2^36. */
export function checkIGelu({ b, c }: IGelu): void {
  if (!Number.isSafeInteger(b) || !Number.isSafeInteger(c) || b >= 0 || c >= 0 || c < -68719476736 || b < -1048576) {
    throw nonlinearError(`b ${b}, c ${c} make no i-GELU`);
  }
}

/** erf of an integer, in units of |a|·s_t²: -(sgn(x)·((min(|x|, -b) + b)² + c)). */
export function iErf(x: number, { b, c }: IGelu): number {
  if (x === 0) return 0;
  const size = x < 0 ? -x : x;
  const inner = (size < -b ? size : -b) + b;
  const value = -(inner * inner + c);
  return x < 0 ? -value : value;
}

/** GELU of an integer of at most 16 bits: x·(erf + |c|), in units of s·|a|·s_t²/2. Exact below 2^53. */
export function iGelu(x: number, parameters: IGelu): number {
  return x * (iErf(x, parameters) - parameters.c) + 0;
}
