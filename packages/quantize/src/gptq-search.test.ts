import { describe, expect, it } from 'vitest';
import { createRandom } from './calibration.js';
import { roundGptq } from './gptq.js';
import { roundSearched } from './gptq-search.js';
import { addColumns, createMoments, type SecondMoments } from './hessian.js';

const ROWS = 6;

function uniform(random: () => number): number {
  return random() / 2147483648 - 1;
}

/** Columns that share one part each with their neighbor. */
function neighbors(size: number, seed: number): SecondMoments {
  const random = createRandom(seed);
  const rows = 4 * size;
  const noise = Array.from({ length: (size + 1) * rows }, () => uniform(random));
  const columns = new Float64Array(size * rows);
  for (let i = 0; i < columns.length; i += 1) columns[i] = (noise[i] as number) + 0.9 * (noise[i + rows] as number);
  const moments = createMoments(size);
  addColumns(moments, columns, rows);
  return moments;
}

function weightsOf(size: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: ROWS * size }, () => uniform(random));
}

/** e·(H + 1 % of its mean diagonal)·eᵀ of one row's error. */
function loss(error: readonly number[], { size, products }: SecondMoments): number {
  let trace = 0;
  for (let k = 0; k < size; k += 1) trace += products[k * size + k] as number;
  let sum = 0;
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) {
      const entry = products[Math.max(i, j) * size + Math.min(i, j)] as number;
      sum += (error[i] as number) * (error[j] as number) * (entry + (i === j ? (0.01 * trace) / size : 0));
    }
  }
  return sum;
}

function lossOfRow(weights: Float64Array, codes: ArrayLike<number>, unit: number, n: number, h: SecondMoments): number {
  const { size } = h;
  const error = Array.from({ length: size }, (_, k) => (weights[n * size + k] as number) - (codes[k] as number) * unit);
  return loss(error, h);
}

describe('roundSearched', () => {
  it('is GPTQ with one path', () => {
    const moments = neighbors(40, 1);
    const weights = weightsOf(40, 2);
    expect(roundSearched(weights, ROWS, moments, 1)).toEqual(roundGptq(weights, ROWS, moments));
  });

  it('finds the best of all pairs of neighboring integers where nothing is given up', () => {
    const size = 6;
    const moments = neighbors(size, 3);
    const weights = weightsOf(size, 4);
    const { weight, scale } = roundSearched(weights, ROWS, moments, 2 ** size);
    for (let n = 0; n < ROWS; n += 1) {
      const unit = scale[n] as number;
      const found = lossOfRow(weights, weight.subarray(n * size, (n + 1) * size), unit, n, moments);
      let best = Number.POSITIVE_INFINITY;
      for (let choice = 0; choice < 2 ** size; choice += 1) {
        const codes = Array.from({ length: size }, (_, k) =>
          Math.max(-127, Math.min(127, Math.floor((weights[n * size + k] as number) / unit) + ((choice >> k) & 1))),
        );
        best = Math.min(best, lossOfRow(weights, codes, unit, n, moments));
      }
      expect(found).toBeLessThanOrEqual(best * (1 + 1e-9));
    }
  });

  it('loses less with more paths, and further back than paths may differ', () => {
    const size = 240;
    const moments = neighbors(size, 5);
    const weights = weightsOf(size, 6);
    const total = (paths: number): number => {
      const { weight, scale } = roundSearched(weights, ROWS, moments, paths);
      expect(weight.every((code) => code >= -127 && code <= 127)).toBe(true);
      let sum = 0;
      for (let n = 0; n < ROWS; n += 1) {
        sum += lossOfRow(weights, weight.subarray(n * size, (n + 1) * size), scale[n] as number, n, moments);
      }
      return sum;
    };
    const [one, eight, many] = [total(1), total(8), total(64)];
    expect(eight).toBeLessThan(0.97 * one);
    expect(many).toBeLessThan(0.99 * eight);
  });

  it('leaves rows of zeros alone', () => {
    const { weight, scale } = roundSearched(new Float64Array(12), 2, neighbors(6, 7), 4);
    expect([...weight, ...scale]).toEqual(new Array(14).fill(0));
  });
});
