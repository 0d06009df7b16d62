import { expect, it } from 'vitest';
import { gainsByStrassen } from './product-form.js';

it.each([
  [24, 128, 64],
  [25, 132, 80],
  [197, 192, 576],
  [197, 768, 192],
])('%i rows of %i by %i columns gain', (rows, k, n) => {
  expect(gainsByStrassen(rows, k, n)).toBe(true);
});

it.each([
  ['few rows', 23, 192, 192],
  ['short rows', 197, 124, 192],
  ['few columns', 197, 192, 48],
  ['a half of k with a lone value', 197, 194, 192],
  ['a half of n within a panel', 197, 192, 200],
])('%s do not', (_, rows, k, n) => {
  expect(gainsByStrassen(rows, k, n)).toBe(false);
});
