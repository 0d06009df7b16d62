import { dyadicError } from './errors.js';

/** The number m·2^-e. */
export interface Dyadic {
  /** |m| ≤ 2^31 - 1 when normalized. */
  readonly m: number;
  /** 0 … 62 when normalized. */
  readonly e: number;
}

/**
 * Brings a fitted dyadic into the ranges a program stores: `m = ±2^31 → (±2^30, e-1)`; `e > 62 → (0, 0)`; m = 0 → (0, 0).
 * @param m integer, |m| ≤ 2^31
 * @param e integer
 * @throws RangeError (E_DYADIC) if the value is not representable (e < 0 after normalization, or m too large).
 */
export function normalizeDyadic(m: number, e: number): Dyadic {
  if (m !== Math.floor(m) || e !== Math.floor(e) || m > 2147483648 || m < -2147483648) {
    throw dyadicError(`(${m}, ${e}) is not a pair of integers with |m| <= 2^31`);
  }
  if (m === 2147483648 || m === -2147483648) {
    m = m > 0 ? 1073741824 : -1073741824;
    e -= 1;
  }
  if (m === 0 || e > 62) return { m: 0, e: 0 };
  if (e < 0) throw dyadicError(`exponent ${e} is negative: the ratio is 2^31 or more`);
  return { m, e };
}
