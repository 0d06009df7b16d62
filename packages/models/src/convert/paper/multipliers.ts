import { type Dyadic, normalizeDyadic } from '@ivit/dyadic';
import { dyadicFromRatio } from '@ivit/dyadic/convert';
import { quantizeF32 } from '@ivit/nonlinear/convert';
import { IvitError } from '@ivit/program';
import type { Dyadics } from '../../paper/types.js';
import type { VitPreprocess } from '../../vit/types.js';
import type { QuantizedLinear } from './quantized.js';

/** The dyadic of `from/to` (float32 scales, one float64 division), in the ranges a program stores. */
export function ratio(site: string, from: number, to: number): Dyadic {
  const { m, e } = dyadicFromRatio(from / to);
  if (e < 0) {
    throw new IvitError('E_MODEL_SCALE', `a scale ratio of ${from / to} is 2^31 or more`, {
      where: site,
      hint: 'The activation ranges are far outside those of a trained model.',
    });
  }
  return normalizeDyadic(m, e);
}

/** One dyadic per channel, or one in all. */
export function ratios(site: string, from: Float32Array | number, to: number): Dyadics {
  const factors = typeof from === 'number' ? [ratio(site, from, to)] : Array.from(from, (s) => ratio(site, s, to));
  return { m: Int32Array.from(factors, (factor) => factor.m), e: Uint8Array.from(factors, (factor) => factor.e) };
}

/** Scale of a linear layer's accumulators: fl(s_w·s_x) per channel. */
export function accumulatorScale(layer: QuantizedLinear, input: number): Float32Array {
  return layer.scale.map((scale) => scale * input);
}

/** int8 input of every pixel value: `x = (u8/255 - mean)/std`, one float32 rounding per operation. */
export function pixelTable(preprocess: VitPreprocess, scale: number): Int8Array {
  const table = new Int8Array(3 * 256);
  for (let color = 0; color < 3; color += 1) {
    const mean = Math.fround(preprocess.mean[color] as number);
    const std = Math.fround(preprocess.std[color] as number);
    for (let value = 0; value < 256; value += 1) {
      const x = Math.fround(Math.fround(Math.fround(value / 255) - mean) / std);
      table[color * 256 + value] = quantizeF32(x, scale, 8);
    }
  }
  return table;
}
