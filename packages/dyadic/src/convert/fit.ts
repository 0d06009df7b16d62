import { type Dyadic, normalizeDyadic } from '../dyadic.js';
import { dyadicError } from '../errors.js';

const words = new DataView(new ArrayBuffer(8));

/**
 * `x = mantissa·2^exponent`, 0.5 ≤ |mantissa| < 1, as C's `frexp`; (x, 0) for ±0.
 * @throws RangeError (E_DYADIC) if x is not finite.
 */
export function frexp(x: number): { readonly mantissa: number; readonly exponent: number } {
  if (!Number.isFinite(x)) throw dyadicError(`${x} is not a finite number`);
  if (x === 0) return { mantissa: x, exponent: 0 };
  let shift = 0;
  words.setFloat64(0, x);
  if (((words.getUint32(0) >>> 20) & 0x7ff) === 0) {
    shift = 54; // subnormal: make it normal first, exactly
    words.setFloat64(0, x * 18014398509481984);
  }
  const top = words.getUint32(0);
  const exponent = ((top >>> 20) & 0x7ff) - 1022 - shift;
  words.setUint32(0, ((top & 0x800fffff) | 0x3fe00000) >>> 0);
  return { mantissa: words.getFloat64(0), exponent };
}

/**
 * The unnormalized dyadic of I-ViT's `fixedpoint_mul`: `m = sign·floor(|mantissa|·2^31 + 1/2)`, `e = 31 - exponent`.
 * m may be ±2^31 and e may be negative or beyond 62: see {@link fit}. Ratio 0 gives (0, 31).
 * @throws RangeError (E_DYADIC) if the ratio is not finite.
 */
export function dyadicFromRatio(ratio: number): Dyadic {
  const { mantissa, exponent } = frexp(ratio);
  const magnitude = Math.floor((mantissa < 0 ? -mantissa : mantissa) * 2147483648 + 0.5);
  return { m: mantissa < 0 ? -magnitude : magnitude, e: 31 - exponent };
}

/**
 * Dyadic nearest to a ratio with 31 bits of m, in the ranges a program stores (|m| ≤ 2^31 - 1, 0 ≤ e ≤ 62).
 * A ratio below 2^-32 or so (e > 62) becomes (0, 0): the result of any int32 times it rounds to 0.
 * @throws RangeError (E_DYADIC) if the ratio is not finite or is 2^31 or more.
 */
export function fit(ratio: number): Dyadic {
  const { m, e } = dyadicFromRatio(ratio);
  return normalizeDyadic(m, e);
}
