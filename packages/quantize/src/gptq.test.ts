import { describe, expect, it } from 'vitest';
import { createRandom } from './calibration.js';
import { type RoundedWeights, roundGptq, rowScales } from './gptq.js';
import { addColumns, createMoments, type SecondMoments } from './hessian.js';
import { roundHalfEven } from './numeric.js';

const ROWS = 24;

function uniform(random: () => number): number {
  return random() / 2147483648 - 1;
}

/** Correlated activations: every column is a mix of a few hidden ones and its own noise. */
function correlatedMoments(size: number, rows: number, seed: number): SecondMoments {
  const random = createRandom(seed);
  const hidden = Array.from({ length: 5 * rows }, () => uniform(random));
  const mix = Array.from({ length: 5 * size }, () => uniform(random));
  const columns = new Float64Array(size * rows);
  for (let k = 0; k < size; k += 1) {
    for (let r = 0; r < rows; r += 1) {
      let sum = 0.2 * uniform(random);
      for (let h = 0; h < 5; h += 1) sum += (hidden[h * rows + r] as number) * (mix[h * size + k] as number);
      columns[k * rows + r] = sum * (1 + (k % 7));
    }
  }
  const moments = createMoments(size);
  addColumns(moments, columns, rows);
  return moments;
}

/** Round to nearest: what GPTQ is measured against. */
function roundNearest(weights: Float64Array, rows: number, size: number): RoundedWeights {
  const scale = rowScales(weights, rows, size);
  const weight = Int8Array.from(weights, (entry, i) => {
    const unit = scale[Math.floor(i / size)] as number;
    return unit === 0 ? 0 : roundHalfEven(entry / unit);
  });
  return { weight, scale };
}

/** Σ_n e_n·H·e_nᵀ of the rounding errors: the layer's squared output error. */
function hessianNorm(weights: Float64Array, rounded: RoundedWeights, moments: SecondMoments): number {
  const { size, products } = moments;
  let total = 0;
  for (let n = 0; n < ROWS; n += 1) {
    const error = Array.from(
      { length: size },
      (_, k) =>
        (weights[n * size + k] as number) - (rounded.weight[n * size + k] as number) * (rounded.scale[n] as number),
    );
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j < size; j += 1) {
        const entry = products[Math.max(i, j) * size + Math.min(i, j)] as number;
        total += (error[i] as number) * (error[j] as number) * entry;
      }
    }
  }
  return total;
}

function randomWeights(size: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: ROWS * size }, () => uniform(random));
}

/** GPTQ as published: rows of the upper Cholesky factor of H⁻¹, errors pushed into the columns to come. */
function publishedGptq(weights: Float64Array, moments: SecondMoments): Int8Array {
  const { size } = moments;
  const entry = (i: number, j: number): number => moments.products[Math.max(i, j) * size + Math.min(i, j)] as number;
  const order = Array.from({ length: size }, (_, k) => k).sort((a, b) => entry(b, b) - entry(a, a) || a - b);
  const mean = order.reduce((sum, k) => sum + entry(k, k), 0) / size;
  const h = order.map((i) => order.map((j) => entry(i, j) + (i === j ? 0.01 * mean : 0)));
  const inverse = invert(h);
  const upper = upperCholesky(inverse);
  const result = new Int8Array(weights.length);
  for (let n = 0; n < ROWS; n += 1) {
    const row = order.map((k) => weights[n * size + k] as number);
    const unit = Math.max(...row.map(Math.abs)) / 127;
    for (let j = 0; j < size; j += 1) {
      const x = (row[j] as number) / unit;
      const q = Math.max(-127, Math.min(127, Math.round(x)));
      result[n * size + (order[j] as number)] = q;
      const error = ((row[j] as number) - q * unit) / (upper[j]?.[j] as number);
      for (let k = j + 1; k < size; k += 1) row[k] = (row[k] as number) - error * (upper[j]?.[k] as number);
    }
  }
  return result;
}

function invert(matrix: number[][]): number[][] {
  const n = matrix.length;
  const work = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let i = 0; i < n; i += 1) {
    const pivotRow = work[i] as number[];
    const pivot = pivotRow[i] as number;
    for (let j = 0; j < 2 * n; j += 1) pivotRow[j] = (pivotRow[j] as number) / pivot;
    for (let r = 0; r < n; r += 1) {
      if (r === i) continue;
      const row = work[r] as number[];
      const factor = row[i] as number;
      for (let j = 0; j < 2 * n; j += 1) row[j] = (row[j] as number) - factor * (pivotRow[j] as number);
    }
  }
  return work.map((row) => row.slice(n));
}

/** U with A = Uᵀ·U. */
function upperCholesky(a: number[][]): number[][] {
  const n = a.length;
  const u = a.map((row) => row.map(() => 0));
  for (let i = 0; i < n; i += 1) {
    for (let j = i; j < n; j += 1) {
      let sum = a[i]?.[j] as number;
      for (let k = 0; k < i; k += 1) sum -= (u[k]?.[i] as number) * (u[k]?.[j] as number);
      (u[i] as number[])[j] = i === j ? Math.sqrt(sum) : sum / (u[i]?.[i] as number);
    }
  }
  return u;
}

describe('roundGptq', () => {
  it.each([
    [16, 40],
    [37, 90],
    [64, 30],
  ])('beats rounding to nearest in the Hessian norm, %i columns, %i rows', (size, rows) => {
    const moments = correlatedMoments(size, rows, size);
    const weights = randomWeights(size, 5);
    const nearest = hessianNorm(weights, roundNearest(weights, ROWS, size), moments);
    const gptq = hessianNorm(weights, roundGptq(weights, ROWS, moments), moments);
    expect(gptq).toBeLessThan(0.5 * nearest);
  });

  it('is the published algorithm', () => {
    const moments = correlatedMoments(37, 90, 3);
    const weights = randomWeights(37, 8);
    expect(roundGptq(weights, ROWS, moments).weight).toEqual(publishedGptq(weights, moments));
  });

  it('keeps columns that are always zero, and rows of zeros', () => {
    const moments = createMoments(8);
    const columns = new Float64Array(8 * 4);
    columns.fill(3, 0, 4);
    addColumns(moments, columns, 4);
    const weights = randomWeights(8, 2);
    weights.fill(0, 8, 16);
    const { weight, scale } = roundGptq(weights, ROWS, moments);
    expect(weight.subarray(8, 16)).toEqual(new Int8Array(8));
    expect(scale[1]).toBe(0);
    expect(weight.subarray(0, 8)).toEqual(roundNearest(weights, ROWS, 8).weight.subarray(0, 8));
  });

  it('does not fail on moments that are all zero', () => {
    const weights = randomWeights(8, 2);
    const { weight } = roundGptq(weights, ROWS, createMoments(8));
    expect(weight).toEqual(roundNearest(weights, ROWS, 8).weight);
  });
});

describe('addColumns', () => {
  it.each([1, 3, 4, 7, 12])('sums products of %i columns', (size) => {
    const rows = 9;
    const random = createRandom(size);
    const columns = Float64Array.from({ length: size * rows }, () => (random() % 21) - 10);
    const moments = createMoments(size);
    addColumns(moments, columns, rows);
    addColumns(moments, columns, rows);
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j <= i; j += 1) {
        let sum = 0;
        for (let r = 0; r < rows; r += 1) sum += (columns[i * rows + r] as number) * (columns[j * rows + r] as number);
        expect(moments.products[i * size + j]).toBe(2 * sum);
      }
    }
    expect(moments.rows).toBe(2 * rows);
  });
});
