import { expect, it } from 'vitest';
import { packedColumns, packWeights } from './pack-weights.js';

it('puts four of a column into a word, columns side by side, missing ones zero', () => {
  const weights = Int8Array.of(1, 2, 3, 4, -1, -2, -3, -4, -128, 127, 0, 1, 9, 8, 7, 6, 5, 5, 5, 5, 6, 6, 6, 6);
  // Three columns of depth 8.
  expect(packedColumns(3)).toBe(4);
  const bytes = new Int8Array(packWeights(weights, 3, 8).buffer);
  expect([...bytes.subarray(0, 16)]).toEqual([1, 2, 3, 4, -128, 127, 0, 1, 5, 5, 5, 5, 0, 0, 0, 0]);
  expect([...bytes.subarray(16)]).toEqual([-1, -2, -3, -4, 9, 8, 7, 6, 6, 6, 6, 6, 0, 0, 0, 0]);
});
