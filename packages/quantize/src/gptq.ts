import type { SecondMoments } from './hessian.js';
import { magnitude, roundHalfEven } from './numeric.js';

/** Share of the mean diagonal added to the diagonal (Frantar et al., "GPTQ", 2022, section 3.3). */
const DAMPING = 0.01;

export interface RoundedWeights {
  /** `[N,K]` in -127 … 127, with fewer bits in the whole range of two's complement. */
  readonly weight: Int8Array;
  /** `[N]`: real weight = weight·scale; 0 for a row of zeros. */
  readonly scale: Float64Array;
}

/** Symmetric scale per output row, max/127 or what fewer bits hold. */
export function rowScales(weights: Float64Array, rows: number, size: number, most = 127): Float64Array {
  const scale = new Float64Array(rows);
  for (let n = 0; n < rows; n += 1) {
    let largest = 0;
    for (let k = n * size; k < (n + 1) * size; k += 1) {
      const entry = magnitude(weights[k] as number);
      if (entry > largest) largest = entry;
    }
    scale[n] = largest / most;
  }
  return scale;
}

/** The nearest int8 weight, -127 … 127. */
export function clampWeight(x: number): number {
  const q = roundHalfEven(x);
  if (q > 127) return 127;
  return q < -127 ? -127 : q;
}

/** Each weight to its nearest multiple of its row's scale. */
export function roundNearest(weights: Float64Array, rows: number, size: number): RoundedWeights {
  const scale = rowScales(weights, rows, size);
  const weight = Int8Array.from(weights, (entry, i) => {
    const unit = scale[Math.floor(i / size)] as number;
    return unit === 0 ? 0 : clampWeight(entry / unit);
  });
  return { weight, scale };
}

/** Columns in descending order of the diagonal, lower index first among equals. */
export function descendingDiagonal(moments: SecondMoments): Int32Array {
  const { size, products } = moments;
  const order = Int32Array.from({ length: size }, (_, k) => k);
  const diagonal = (k: number): number => products[k * size + k] as number;
  return order.sort((a, b) => diagonal(b) - diagonal(a) || a - b);
}

/**
 * Factor of the damped Hessian, columns reordered: H = (I+A)·D·(I+A)ᵀ, A strictly upper triangular.
 * Row k of the result holds column k of A, and D's entry in its place: `feedback[k·K + i] = A[i,k]`, i < k, `[k·K + k] = D[k]`.
 *
 * With it, rounding column k after adding Σ_{i<k} error_i·A[i,k] is GPTQ (Chee et al., "QuIP", 2023, theorem 6:
 * the two are one algorithm), without the inverse of H.
 */
export function feedbackFactor(moments: SecondMoments, order: Int32Array): Float64Array {
  const { size, products } = moments;
  let trace = 0;
  let live = 0;
  for (let k = 0; k < size; k += 1) {
    const entry = products[k * size + k] as number;
    trace += entry;
    if (entry > 0) live += 1;
  }
  // A column that is always 0 gets the mean of the others: its weights do not matter, the factor must exist.
  const fallback = live > 0 ? trace / live : 1;
  const damping = DAMPING * fallback;
  // Reversed, an upper factor from the last column on is an ordinary lower Cholesky factor: L[r,s], r = K-1-i.
  const factor = new Float64Array(size * size);
  for (let r = 0; r < size; r += 1) {
    const i = order[size - 1 - r] as number;
    for (let s = 0; s <= r; s += 1) {
      const j = order[size - 1 - s] as number;
      factor[r * size + s] = (i > j ? products[i * size + j] : products[j * size + i]) as number;
    }
    const diagonal = factor[r * size + r] as number;
    factor[r * size + r] = (diagonal > 0 ? diagonal : fallback) + damping;
  }
  cholesky(factor, size);
  // A[i,k] = V[i,k]/V[k,k] with V[i,k] = L[K-1-i, K-1-k].
  const feedback = new Float64Array(size * size);
  for (let k = 0; k < size; k += 1) {
    const s = size - 1 - k;
    const pivot = factor[s * size + s] as number;
    feedback[k * size + k] = pivot * pivot;
    for (let i = 0; i < k; i += 1) feedback[k * size + i] = (factor[(size - 1 - i) * size + s] as number) / pivot;
  }
  return feedback;
}

/** Lower Cholesky factor in place, four rows at a time so that each earlier row is read once for four. */
function cholesky(a: Float64Array, size: number): void {
  for (let top = 0; top < size; top += 4) {
    const bottom = Math.min(top + 4, size);
    if (bottom - top === 4) {
      for (let j = 0; j < top; j += 1) solveFour(a, size, top, j);
    } else {
      for (let i = top; i < bottom; i += 1) for (let j = 0; j < top; j += 1) solveOne(a, size, i, j);
    }
    for (let i = top; i < bottom; i += 1) {
      for (let j = top; j < i; j += 1) solveOne(a, size, i, j);
      let pivot = a[i * size + i] as number;
      for (let k = i * size; k < i * size + i; k += 1) pivot -= (a[k] as number) * (a[k] as number);
      a[i * size + i] = Math.sqrt(pivot);
    }
  }
}

function solveOne(a: Float64Array, size: number, i: number, j: number): void {
  let sum = a[i * size + j] as number;
  for (let k = 0; k < j; k += 1) sum -= (a[i * size + k] as number) * (a[j * size + k] as number);
  a[i * size + j] = sum / (a[j * size + j] as number);
}

function solveFour(a: Float64Array, size: number, top: number, j: number): void {
  const r0 = top * size;
  const r1 = r0 + size;
  const r2 = r1 + size;
  const r3 = r2 + size;
  const row = j * size;
  let s0 = a[r0 + j] as number;
  let s1 = a[r1 + j] as number;
  let s2 = a[r2 + j] as number;
  let s3 = a[r3 + j] as number;
  for (let k = 0; k < j; k += 1) {
    const b = a[row + k] as number;
    s0 -= (a[r0 + k] as number) * b;
    s1 -= (a[r1 + k] as number) * b;
    s2 -= (a[r2 + k] as number) * b;
    s3 -= (a[r3 + k] as number) * b;
  }
  const pivot = a[row + j] as number;
  a[r0 + j] = s0 / pivot;
  a[r1 + j] = s1 / pivot;
  a[r2 + j] = s2 / pivot;
  a[r3 + j] = s3 / pivot;
}

/**
 * GPTQ: columns are rounded in descending order of the Hessian's diagonal, and each column's rounding error is
 * compensated in the columns still to come.
 *
 * @param weights `[N,K]`, as they multiply the rows that the moments were taken from.
 */
export function roundGptq(weights: Float64Array, rows: number, moments: SecondMoments): RoundedWeights {
  const { size } = moments;
  const scale = rowScales(weights, rows, size);
  const weight = new Int8Array(rows * size);
  const order = descendingDiagonal(moments);
  const feedback = feedbackFactor(moments, order);
  const error = new Float64Array(size);
  for (let n = 0; n < rows; n += 1) {
    const unit = scale[n] as number;
    if (unit === 0) continue;
    for (let k = 0; k < size; k += 1) {
      const source = n * size + (order[k] as number);
      const target = weights[source] as number;
      const q = clampWeight((target + dot(error, feedback, k * size, k)) / unit);
      weight[source] = q;
      error[k] = target - q * unit;
    }
  }
  return { weight, scale };
}

/** Σ a[i]·b[offset+i], i < length, in four interleaved sums. */
export function dot(a: Float64Array, b: Float64Array, offset: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const whole = length - (length % 4);
  for (let i = 0; i < whole; i += 4) {
    s0 += (a[i] as number) * (b[offset + i] as number);
    s1 += (a[i + 1] as number) * (b[offset + i + 1] as number);
    s2 += (a[i + 2] as number) * (b[offset + i + 2] as number);
    s3 += (a[i + 3] as number) * (b[offset + i + 3] as number);
  }
  for (let i = whole; i < length; i += 1) s0 += (a[i] as number) * (b[offset + i] as number);
  return s0 + s1 + (s2 + s3);
}
