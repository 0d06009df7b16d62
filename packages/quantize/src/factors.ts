import type { RecipeFactors } from '@ivit/models';
import { SMALLEST_SCALE } from './attention.js';
import { powerOfTwo, roundHalfEven } from './numeric.js';
import { ratioOf } from './scaling.js';

/** Factors 1, 2, 4, 8 of the finest step, as in the paper. */
const LARGEST_ALPHA = 3;

/**
 * Power-of-two factors of a LayerNorm input (Lin et al., "FQ-ViT", IJCAI 2022, section 3.2, and its code): one zero-point and
 * the step of the whole range at α = 3; each channel takes the α of least squared error over the photos.
 *
 * @param tensors float stream, `[rows,width]` each.
 * @param unit real value of one unit of the int16 stream.
 */
export function chooseFactors(tensors: readonly Float32Array[], width: number, unit: number): RecipeFactors {
  let lo = 0;
  let hi = 0;
  for (const x of tensors) {
    for (const entry of x) {
      if (entry < lo) lo = entry;
      if (entry > hi) hi = entry;
    }
  }
  const widest = Math.max((hi - lo) / 255, SMALLEST_SCALE);
  const z = Math.max(-128, Math.min(127, -128 - roundHalfEven(lo / widest)));
  const finest = widest / powerOfTwo(LARGEST_ALPHA);
  const alpha = new Int32Array(width);
  for (let c = 0; c < width; c += 1) {
    let least = Number.POSITIVE_INFINITY;
    for (let shift = 0; shift <= LARGEST_ALPHA; shift += 1) {
      const error = squaredError(tensors, c, width, finest * powerOfTwo(shift), z);
      if (error < least) {
        least = error;
        alpha[c] = shift;
      }
    }
  }
  return { ...ratioOf(unit, finest), z, alpha };
}

function squaredError(tensors: readonly Float32Array[], c: number, width: number, step: number, z: number): number {
  let sum = 0;
  for (const x of tensors) {
    for (let i = c; i < x.length; i += width) {
      const entry = x[i] as number;
      const q = Math.max(-128, Math.min(127, roundHalfEven(entry / step) + z)) - z;
      sum += (entry - q * step) * (entry - q * step);
    }
  }
  return sum;
}
