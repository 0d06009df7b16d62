/**
 * e^(s·x) for x ≤ 0 by a second-order polynomial on one octave: i-exp of I-BERT (Kim et al., "I-BERT: Integer-only BERT
 * Quantization", ICML 2021, section 3.4.2 and algorithm 2) and the same idea with other coefficients in FQ-ViT (Lin et al.,
 * "FQ-ViT: Post-Training Quantization for Fully Quantized Vision Transformer", IJCAI 2022, section 3.3, and its code).
 *
 *   t = max(x, -30·ln2);  z = (-t) // ln2;  r = t + z·ln2        -ln2 < r ≤ 0, ln2 = the integer that stands for ln 2
 *   p = (r + b)² + c  (i-exp)   or   (r + b)·r + c  (FQ-ViT)
 *   e = floor(p·2^(n-z))
 *
 * I-BERT's algorithm shifts right by z: n = 0. FQ-ViT's code takes n = 30, which no 32-bit sum holds: n is a parameter.
 * The limit of 30 octaves is in the code of both.
 */
import { divFloor, INT32_MAX, POW2 } from '@ivit/dyadic';
import { nonlinearError } from './errors.js';

/** Integers of one exponential: convert time makes them from the scale of x (`iExpParameters`, `fqExpParameters`). */
export interface PolynomialExp {
  /** ln 2 in units of x, at least 1. */
  readonly ln2: number;
  readonly b: number;
  readonly c: number;
  /** 0 … 30: e(0) is multiplied by 2^n. */
  readonly n: number;
  /** (r + b)² + c instead of (r + b)·r + c. */
  readonly square: boolean;
}

const OCTAVES = 30;
const EXACT_LIMIT = 9007199254740992;

/** The polynomial at -ln2 < r ≤ 0. */
function polynomialAt(r: number, { b, c, square }: PolynomialExp): number {
  return (r + b) * (square ? r + b : r) + c;
}

/** @throws RangeError (E_NONLINEAR) for parameters that are no integers, negative, or too large to stay exact. */
export function checkPolynomialExp(parameters: PolynomialExp): void {
  const { ln2, b, c, n } = parameters;
  const whole = [ln2, b, c, n].every((entry) => Number.isSafeInteger(entry));
  if (!whole || ln2 < 1 || b < ln2 || c < 1 || n < 0 || n > 30) {
    throw nonlinearError(`ln2 ${ln2}, b ${b}, c ${c}, n ${n} make no exponential`);
  }
  if (!(polynomialAt(0, parameters) * (POW2[n] as number) < EXACT_LIMIT)) {
    throw nonlinearError(`e(0) of ln2 ${ln2}, b ${b}, c ${c}, n ${n} passes 2^53`);
  }
}

/** e of an integer x ≤ 0; exact while e(0) < 2^53 (`checkPolynomialExp`). */
export function polynomialExp(x: number, parameters: PolynomialExp): number {
  const { ln2, n } = parameters;
  const least = -OCTAVES * ln2;
  const t = x < least ? least : x;
  const z = divFloor(-t, ln2);
  const p = polynomialAt(t + z * ln2, parameters);
  return z <= n ? p * (POW2[n - z] as number) : divFloor(p, POW2[z - n] as number);
}

/**
 * Table form for `softmax`: entry d stands for e(-d), positive and never increasing as the op wants it. Two differences from
 * the function: no entry is below 1 (the last one, which holds for every larger d), and where the floors of a coarse scale
 * make e rise by a step at an octave, the smaller value stays.
 * @throws RangeError (E_NONLINEAR) where e(0) passes 2^31 - 1.
 */
export function polynomialExpTable(parameters: PolynomialExp): Int32Array {
  checkPolynomialExp(parameters);
  const first = polynomialExp(0, parameters);
  if (first > INT32_MAX) throw nonlinearError(`e(0) is ${first}, beyond 2^31 - 1`);
  const entries: number[] = [];
  let least = first;
  for (let d = 0; d < 65536; d++) {
    const value = polynomialExp(-d, parameters);
    if (value < least) least = value > 1 ? value : 1;
    entries.push(least);
    if (least === 1) break;
  }
  return Int32Array.from(entries);
}
