/**
 * Fixed-point weights of a resampling pass, equal to those of Pillow's 8-bit `Image.resize` (src/libImaging/Resample.c).
 *
 * This folder is the one place of the package with floating point. Pillow computes the weights in float64 and rounds
 * them once to integers; which way a weight rounds is decided by the float64 value, so to get Pillow's integers these
 * doubles have to be Pillow's doubles. Only + - * / occur, in Pillow's order, so every engine gives the same bits
 * (IEEE 754, no fused multiply-add in JavaScript). No pixel passes through here: the pixels meet integers only.
 */
import type { Filter } from './filters.js';

/** Fractional bits of a weight: 32 - 8 (pixel) - 2 (sign and overshoot of a filter with negative lobes). */
export const PRECISION_BITS = 22;

/** For each output position, from the first one asked for: where its window starts, its length, its weights (`stride` apart). */
export interface Windows {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  readonly stride: number;
}

/**
 * Windows of the output positions `from` … `from + length - 1` when `inputSize` samples become `outputSize`.
 * The filter is widened by the scale when reducing.
 */
export function resamplingWindows(
  inputSize: number,
  outputSize: number,
  filter: Filter,
  from: number,
  length: number,
): Windows {
  const scale = inputSize / outputSize;
  const filterScale = scale < 1 ? 1 : scale;
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const inverse = 1 / filterScale;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * stride);
  const window = new Float64Array(stride);
  for (let position = 0; position < length; position++) {
    const center = (from + position + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const taps = Math.min(inputSize, Math.trunc(center + support + 0.5)) - start;
    let sum = 0;
    for (let i = 0; i < taps; i++) {
      const weight = filter.at((i + start - center + 0.5) * inverse);
      window[i] = weight;
      sum += weight;
    }
    for (let i = 0; i < taps; i++) {
      let weight = window[i] as number;
      if (sum !== 0) weight /= sum;
      // Half away from zero, by truncation as in C.
      weights[position * stride + i] = Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * 4194304);
    }
    first[position] = start;
    count[position] = taps;
  }
  return { first, count, weights, stride };
}
