import type { FloatTensor } from '@ivit/models';
import { magnitude } from './numeric.js';

/** Reaches tried, as shares of the largest channel's, each half of the one before. */
const HALVINGS = 12;
/** What the noise must fall by: a channel that merely is the largest stays where it is. */
const WORTHWHILE = 4;

/** Largest t_c by which column c of the weights can grow without any row's largest weight growing; at least 1. */
function freedomOf({ data, shape }: FloatTensor): Float64Array {
  const [rows = 1, width = 1] = shape;
  const freedom = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
  for (let n = 0; n < rows; n += 1) {
    let largest = 0;
    for (let c = 0; c < width; c += 1) largest = Math.max(largest, magnitude(data[n * width + c] as number));
    for (let c = 0; c < width; c += 1) {
      const size = magnitude(data[n * width + c] as number);
      if (size * (freedom[c] as number) > largest) freedom[c] = largest / size;
    }
  }
  return freedom;
}

/** Σ_n w[n,c]² per column. */
function columnSquares({ data, shape }: FloatTensor): Float64Array {
  const [rows = 1, width = 1] = shape;
  const squares = new Float64Array(width);
  for (let i = 0; i < rows * width; i += 1) {
    squares[i % width] = (squares[i % width] as number) + (data[i] as number) * (data[i] as number);
  }
  return squares;
}

/**
 * Factors t_c ≥ 1 by which channels in front of a linear layer shrink and its columns grow (the product does not change), or
 * undefined where that is not worth it. Of the reaches R tried, channels beyond R come down to it as far as the weights' own
 * scales allow: t_c = max|x_c|/R, at most what leaves every row's largest weight as it is. The noise of a row-quantized layer
 * is Σ_r max_c(|x_rc|/t_c)² · Σ_c t_c²·Σ_n w_nc², up to a constant: R is the one where it is least.
 *
 * @param tensors `[rows,width]` each.
 */
export function spreadOf(tensors: readonly Float32Array[], weight: FloatTensor): Float64Array | undefined {
  const [, width = 1] = weight.shape;
  const maxima = new Float64Array(width);
  for (const x of tensors) {
    for (let i = 0; i < x.length; i += 1) {
      const size = magnitude(x[i] as number);
      if (size > (maxima[i % width] as number)) maxima[i % width] = size;
    }
  }
  const largest = maxima.reduce((a, b) => (a > b ? a : b), 0);
  if (!(largest > 0 && largest < Number.POSITIVE_INFINITY)) return undefined;
  const freedom = freedomOf(weight);
  const squares = columnSquares(weight);
  const candidates = Array.from({ length: HALVINGS + 1 }, (_, i) => {
    const reach = largest / 2 ** i;
    return maxima.map((size, c) => Math.max(1, Math.min(size / reach, freedom[c] as number)));
  });
  const noises = candidates.map(
    (t) => rowSquares(tensors, t) * t.reduce((sum, entry, c) => sum + entry * entry * (squares[c] as number), 0),
  );
  let best = 0;
  for (let i = 1; i < noises.length; i += 1) if ((noises[i] as number) < (noises[best] as number)) best = i;
  return (noises[best] as number) * WORTHWHILE < (noises[0] as number) ? candidates[best] : undefined;
}

/** Σ over rows of the square of the row's largest |x_c|/t_c. */
function rowSquares(tensors: readonly Float32Array[], t: Float64Array): number {
  const width = t.length;
  const shares = t.map((entry) => 1 / entry);
  let squares = 0;
  for (const x of tensors) {
    for (let start = 0; start < x.length; start += width) {
      let largest = 0;
      for (let c = 0; c < width; c += 1) {
        const size = magnitude(x[start + c] as number) * (shares[c] as number);
        if (size > largest) largest = size;
      }
      squares += largest * largest;
    }
  }
  return squares;
}
