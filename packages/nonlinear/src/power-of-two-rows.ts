/**
 * LayerNorm input in 8 bits with a power-of-two factor per channel (PTF; Lin et al., "FQ-ViT", IJCAI 2022, section 3.2):
 *
 *   q = clamp_i8(rne(x·m / 2^(e + α_c)) + z);   y = (q - z)·2^α_c
 *
 * One scale and one zero-point for the tensor, α_c = 0 … 3 per channel: small channels keep a fine step, the few large ones
 * still fit, and y needs shifts alone. Two `requantize` ops say the same in a program: m, e + α_c, z to i8, then 2^α_c, 0,
 * -z·2^α_c to i16.
 */
import { type IntegerArray, POW2, requantizeOne, saturate } from '@ivit/dyadic';
import { nonlinearError } from './errors.js';

/** @param alpha α per channel, 0 … 7; z the zero-point, -128 … 127; m, e the ratio of x's unit to the finest step. */
export function powerOfTwoRows(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  alpha: ArrayLike<number>,
  m: number,
  e: number,
  z: number,
): void {
  const length = alpha.length;
  for (let c = 0; c < length; c++) {
    const shift = alpha[c] as number;
    if (!Number.isInteger(shift) || shift < 0 || shift > 7)
      throw nonlinearError(`the factor of channel ${c} is 2^${shift}`);
  }
  for (let i = 0; i < rows * length; i++) {
    const shift = alpha[i % length] as number;
    const q = saturate(requantizeOne(x[xOffset + i] as number, m, e + shift) + z, -128, 127);
    out[outOffset + i] = (q - z) * (POW2[shift] as number);
  }
}
