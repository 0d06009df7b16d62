import type { ClassAttention } from './find-attention.js';

/** Integer entries of a layer, `[heads, tokens, tokens]`. */
export type AttentionData = ArrayLike<number>;

/** Unit of a layer's weights: 2^-15. */
const WEIGHT_UNIT = 32768;
/** Unit of the rolled-out weights: 2^-24. */
export const ROLLOUT_UNIT = 16777216;

/** Attention of one row over all heads, as integers that sum to about 2^15 (less by at most one per token). */
function rowWeights(data: AttentionData, log2: boolean, heads: number, tokens: number, row: number): number[] {
  const sums = new Array<number>(tokens).fill(0);
  let total = 0;
  for (let head = 0; head < heads; head += 1) {
    const start = (head * tokens + row) * tokens;
    for (let column = 0; column < tokens; column += 1) {
      const entry = data[start + column] ?? 0;
      const weight = log2 ? 2 ** (15 - entry) : entry;
      sums[column] = (sums[column] ?? 0) + weight;
      total += weight;
    }
  }
  return sums.map((sum) => (total === 0 ? 0 : Math.floor((sum * WEIGHT_UNIT) / total)));
}

/**
 * Attention rollout (Abnar and Zuidema, 2020) of the class token: with A = ½(mean over heads + identity) per layer, the first
 * row of A_L·…·A_1, in integers. Weights have 15 bits, the row 24: every product and sum is below 2^53 and each step rounds
 * down, so that the same integers give the same map everywhere.
 *
 * @param data of each layer, first layer first
 * @returns tokens entries, unit 2^-24; their sum is at most 2^24
 */
export function rollout(
  { layers, heads, tokens }: Pick<ClassAttention, 'layers' | 'heads' | 'tokens'>,
  data: readonly AttentionData[],
): Int32Array {
  let current = new Int32Array(tokens);
  current[0] = ROLLOUT_UNIT;
  for (let layer = layers.length - 1; layer >= 0; layer -= 1) {
    const next = new Array<number>(tokens).fill(0);
    for (let row = 0; row < tokens; row += 1) {
      const share = current[row] ?? 0;
      if (share === 0) continue;
      const weights = rowWeights(data[layer] ?? [], layers[layer]?.log2 === true, heads, tokens, row);
      for (let column = 0; column < tokens; column += 1) {
        next[column] = (next[column] ?? 0) + share * (weights[column] ?? 0);
      }
      next[row] = (next[row] ?? 0) + share * WEIGHT_UNIT;
    }
    current = Int32Array.from(next, (sum) => Math.floor(sum / (2 * WEIGHT_UNIT)));
  }
  return current;
}

/** The patches' share of a rollout, row by row, 0 … 255 where 255 is the most looked-at patch. */
export function patchMap(
  { prefix, tokens }: Pick<ClassAttention, 'prefix' | 'tokens'>,
  rolled: Int32Array,
): Uint8ClampedArray {
  const patches = rolled.subarray(prefix, tokens);
  const most = patches.reduce((best, value) => Math.max(best, value), 0);
  return Uint8ClampedArray.from(patches, (value) => (most === 0 ? 0 : Math.floor((value * 255) / most)));
}
