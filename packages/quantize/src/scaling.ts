import { fit } from '@ivit/dyadic/convert';
import type { Ratio, RowScaling, StaticScaling } from '@ivit/models';
import { IvitError } from '@ivit/program';
import { magnitude, powerOfTwo, roundHalfEven } from './numeric.js';

const INT32_MAX = 2147483647;
/** The fast form of the recipe: one shift of at most 32 per op, every numerator below 2^52 (exact in doubles). */
const MAX_SHIFT = 32;
const NUMERATOR_LIMIT = 4503599627370496;

/** Dyadic of one positive ratio, e.g. of the old residual's unit to the new one's. */
export function ratioOf(numerator: number, denominator: number): Ratio {
  const { m, e } = fit(numerator / denominator);
  return { m, e };
}

function refuse(where: string): never {
  throw new IvitError('E_QUANTIZE_RANGE', 'a scale ratio is too large for the integer program', {
    where,
    hint: 'Check the weights and the calibration photos: this layer is almost constant on them.',
  });
}

/**
 * `x·ratio[c]` as `rne(x·m[c]·2^-e)`: the largest e ≤ 32 for which every |x·m| stays below 2^52.
 *
 * @param ratios output unit over input unit, inverted: y = x·ratio.
 * @param bound largest |x|.
 */
export function staticScaling(ratios: Float64Array, bound: number, where: string): { m: Int32Array; e: number } {
  const m = new Int32Array(ratios.length);
  for (let e = MAX_SHIFT; e >= 0; e -= 1) {
    if (fillMultipliers(ratios, e, m, (c) => bound * magnitude(m[c] as number))) return { m, e };
  }
  return refuse(where);
}

/** m[c] = rne(ratio·2^e), true when all fit int32 and every numerator is below 2^52. */
function fillMultipliers(ratios: Float64Array, e: number, m: Int32Array, numerator: (c: number) => number): boolean {
  const scale = powerOfTwo(e);
  for (let c = 0; c < ratios.length; c += 1) {
    const multiplier = roundHalfEven((ratios[c] as number) * scale);
    if (!(magnitude(multiplier) <= INT32_MAX)) return false;
    m[c] = multiplier;
    if (!(numerator(c) < NUMERATOR_LIMIT)) return false;
  }
  return true;
}

/** A static scaling with zero-points, z absent when all are 0. */
export function withZeroPoints(scaling: { m: Int32Array; e: number }, z: Int32Array): StaticScaling {
  return z.some((entry) => entry !== 0) ? { ...scaling, z } : scaling;
}

/**
 * Row-dynamic requantization `rne((x·f·2^E·m[c] + bias[c]·2^k)·2^-e)` standing for `x·f·2^E·ratio[c] + bias[c]`:
 * the largest e ≤ 32 for which every numerator stays below 2^52, the smallest k for which every bias fits int32.
 *
 * @param bias in output units.
 * @param bounds largest |x| per channel.
 * @param rowFactor largest f·2^E of any row.
 */
export function rowScaling(
  ratios: Float64Array,
  bias: Float64Array,
  bounds: Float64Array,
  rowFactor: number,
  where: string,
): RowScaling {
  const m = new Int32Array(ratios.length);
  for (let e = MAX_SHIFT; e >= 0; e -= 1) {
    const scale = powerOfTwo(e);
    // A bias of b output units is b·2^e in the numerator, whatever k is; 2^k/2 ≤ 2^22 covers its rounding.
    const numerator = (c: number): number =>
      (bounds[c] as number) * rowFactor * magnitude(m[c] as number) + magnitude(bias[c] as number) * scale + 4194304;
    if (fillMultipliers(ratios, e, m, numerator)) return { m, e, ...shiftBias(bias, e) };
  }
  return refuse(where);
}

function shiftBias(bias: Float64Array, e: number): { bias: Int32Array; k: number } {
  const shifted = new Int32Array(bias.length);
  // Numerators are below 2^52, so k ≤ 21 always suffices.
  for (let k = 0; k <= 22; k += 1) {
    const scale = powerOfTwo(e - k);
    let fits = true;
    for (let c = 0; c < bias.length; c += 1) {
      const entry = roundHalfEven((bias[c] as number) * scale);
      if (!(magnitude(entry) <= INT32_MAX)) {
        fits = false;
        break;
      }
      shifted[c] = entry;
    }
    if (fits) return { bias: shifted, k };
  }
  return refuse('bias');
}

/**
 * Largest f·2^E of a row code of `rowscale` over x in lo … hi (the code grows with the row's need, and f·2^E with
 * the code).
 */
export function largestRowFactor(lo: number, hi: number, zeroPoint: number): number {
  const up = Math.ceil((16 * Math.max(hi, 0)) / (127 - zeroPoint));
  const down = Math.ceil((16 * Math.max(-lo, 0)) / (128 + zeroPoint));
  const need = Math.max(16, up, down);
  const exponent = Math.max(0, 32 - Math.clz32(need) - 5);
  const unit = powerOfTwo(exponent);
  const f = Math.ceil(need / unit);
  return f * unit;
}
