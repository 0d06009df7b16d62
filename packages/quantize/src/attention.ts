import type { RecipeBlock, VitConfig } from '@ivit/models';
import { maxMagnitude, powerOfTwo } from './numeric.js';
import { staticScaling } from './scaling.js';

const INT8_MAX = 127;
const INT16_MAX = 32767;
/** Smallest scale of a site that is (almost) zero on every photo (as in I-ViT's code: 2^-23, float32's epsilon). */
export const SMALLEST_SCALE = 1.1920928955078125e-7;
/** Channels below this share of their head's largest count as this much in the q/k balance. */
const BALANCE_FLOOR = 1e-6;
const MAX_FRACTION_BITS = 8;

export interface AttentionScales {
  /** `[3D]`: real value of one unit of q, k and v, per channel. */
  readonly qkv: Float64Array;
  /** `[H]`: real value of one unit of q·k/√d. */
  readonly logits: Float64Array;
}

/**
 * int8 scales of q, k and v. q and k are balanced per head: t_c = √(max|q_c|/max|k_c|) normalized to mean 1 within
 * the head, s_q = t_c·S_q, s_k = S_k/t_c, so that every channel's product has the scale S_q·S_k; v per channel.
 *
 * @param maxima `[3D]`: calibrated largest |q|, |k|, |v| per channel.
 */
export function attentionScales(config: VitConfig, maxima: Float64Array, balanced = true): AttentionScales {
  const { dim, heads } = config;
  const width = dim / heads;
  const qkv = new Float64Array(3 * dim);
  const logits = new Float64Array(heads);
  for (let head = 0; head < heads; head += 1) {
    const query = maxima.subarray(head * width, (head + 1) * width);
    const key = maxima.subarray(dim + head * width, dim + (head + 1) * width);
    const balance = balanced ? balanceOf(query, key) : new Float64Array(width).fill(1);
    let queryScale = SMALLEST_SCALE;
    let keyScale = SMALLEST_SCALE;
    for (let c = 0; c < width; c += 1) {
      const t = balance[c] as number;
      queryScale = Math.max(queryScale, (query[c] as number) / t / INT8_MAX);
      keyScale = Math.max(keyScale, ((key[c] as number) * t) / INT8_MAX);
    }
    for (let c = 0; c < width; c += 1) {
      const t = balance[c] as number;
      qkv[head * width + c] = t * queryScale;
      qkv[dim + head * width + c] = keyScale / t;
    }
    logits[head] = (queryScale * keyScale) / Math.sqrt(width);
  }
  for (let c = 2 * dim; c < 3 * dim; c += 1) qkv[c] = Math.max((maxima[c] as number) / INT8_MAX, SMALLEST_SCALE);
  return { qkv, logits };
}

function balanceOf(query: Float64Array, key: Float64Array): Float64Array {
  const queryFloor = Math.max(BALANCE_FLOOR * maxMagnitude(query), SMALLEST_SCALE);
  const keyFloor = Math.max(BALANCE_FLOOR * maxMagnitude(key), SMALLEST_SCALE);
  const balance = new Float64Array(query.length);
  let sum = 0;
  for (let c = 0; c < query.length; c += 1) {
    const ratio = Math.max(query[c] as number, queryFloor) / Math.max(key[c] as number, keyFloor);
    balance[c] = Math.sqrt(ratio);
    sum += balance[c] as number;
  }
  const mean = sum / query.length;
  return balance.map((t) => t / mean);
}

/**
 * q·k accumulators to int16 in units of 2^-F of the log2 domain: log2(e) and 1/√d are in the multiplier, F is the
 * largest of 0 … 8 at which the calibrated maximum fits int16.
 *
 * @param largest calibrated largest |q·k/√d|.
 */
export function logitScaling(
  config: VitConfig,
  scales: AttentionScales,
  largest: number,
  where: string,
): RecipeBlock['logits'] {
  let fractionBits = MAX_FRACTION_BITS;
  while (fractionBits > 0 && largest * Math.LOG2E * powerOfTwo(fractionBits) > INT16_MAX) fractionBits -= 1;
  const unit = Math.LOG2E * powerOfTwo(fractionBits);
  const bound = (config.dim / config.heads) * 128 * 128;
  return {
    scaling: staticScaling(
      scales.logits.map((scale) => scale * unit),
      bound,
      where,
    ),
    fractionBits,
  };
}
