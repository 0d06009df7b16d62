import { descendingDiagonal, dot, feedbackFactor, type RoundedWeights, roundGptq, rowScales } from './gptq.js';
import { roundSearched } from './gptq-search.js';
import type { SecondMoments } from './hessian.js';
import { roundHalfEven } from './numeric.js';

/** Scales tried per row, as shares of the one that holds the largest weight. */
const SHARES: readonly number[] = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];

/** Weights with fewer than 8 bits, and what their rounding costs. */
export interface NarrowWeights extends RoundedWeights {
  /** Σ over rows of E·H·Eᵀ, E a row's rounding error, H the damped second moments: the squared output error, summed. */
  readonly loss: number;
}

/** Weights of `bits` bits, 2 … 8, by {@link roundGptq}, with more paths {@link roundSearched}, or {@link roundNarrow}. */
export function roundWeights(
  weights: Float64Array,
  rows: number,
  moments: SecondMoments,
  bits = 8,
  paths = 1,
): RoundedWeights {
  if (bits !== 8) return roundNarrow(weights, rows, moments, bits);
  return paths > 1 ? roundSearched(weights, rows, moments, paths) : roundGptq(weights, rows, moments);
}

/**
 * GPTQ to few bits. With H = (I+A)·D·(I+A)ᵀ the second-order loss of a row is Σ_k D_k·(error_k + Σ_{i<k} error_i·A[i,k])²,
 * known when its last column is rounded: every row takes the scale, of eleven, whose own GPTQ pass loses least.
 *
 * @param bits 2 … 8 (8: one scale and -127 … 127, to measure what `roundGptq` loses).
 * @param shares scales to try, of the one that holds the largest weight
 */
export function roundNarrow(
  weights: Float64Array,
  rows: number,
  moments: SecondMoments,
  bits: number,
  shares = bits === 8 ? [1] : SHARES,
): NarrowWeights {
  const { size } = moments;
  const most = 2 ** (bits - 1) - 1;
  const least = bits === 8 ? -most : -most - 1;
  const largest = rowScales(weights, rows, size, most);
  const order = descendingDiagonal(moments);
  const feedback = feedbackFactor(moments, order);
  const error = new Float64Array(size);
  const codes = new Int8Array(size);
  const weight = new Int8Array(rows * size);
  const scale = new Float64Array(rows);
  let total = 0;
  for (let n = 0; n < rows; n += 1) {
    let best = Number.POSITIVE_INFINITY;
    for (const share of shares) {
      const unit = (largest[n] as number) * share;
      if (unit === 0) continue;
      let loss = 0;
      for (let k = 0; k < size && loss < best; k += 1) {
        const column = order[k] as number;
        const target = weights[n * size + column] as number;
        const fed = dot(error, feedback, k * size, k);
        const q = Math.max(least, Math.min(most, roundHalfEven((target + fed) / unit)));
        codes[column] = q;
        error[k] = target - q * unit;
        const rest = target - q * unit + fed;
        loss += (feedback[k * size + k] as number) * rest * rest;
      }
      if (!(loss < best)) continue;
      best = loss;
      scale[n] = unit;
      weight.set(codes, n * size);
    }
    if (best < Number.POSITIVE_INFINITY) total += best;
  }
  return { weight, scale, loss: total };
}
