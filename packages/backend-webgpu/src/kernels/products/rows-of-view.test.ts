import { describe, expect, it } from 'vitest';
import { mergedStride, rowsOfView, wordRows } from './rows-of-view.js';

describe('mergedStride', () => {
  it('merges axes that continue each other, and ignores axes of size 1', () => {
    expect(mergedStride([2, 3, 4], [12, 4, 1])).toBe(1);
    expect(mergedStride([2, 1, 4], [8, 999, 2])).toBe(2);
    expect(mergedStride([5, 7], [0, 0])).toBe(0);
    expect(mergedStride([], [])).toBe(0);
  });

  it('refuses axes that do not', () => {
    expect(mergedStride([2, 3], [4, 1])).toBeUndefined();
    expect(mergedStride([2, 3], [1, 2])).toBeUndefined();
    expect(mergedStride([2, 3], [0, 1])).toBeUndefined();
  });
});

describe('rowsOfView', () => {
  it('takes the last axes that hold the columns', () => {
    const view = { offset: 5, shape: [17, 3, 4, 6], strides: [72, 24, 6, 1] };
    expect(rowsOfView(view, 72)).toEqual({ offset: 5, rows: 17, columns: 72, rowStride: 72, columnStride: 1 });
    expect(rowsOfView(view, 24)).toEqual({ offset: 5, rows: 51, columns: 24, rowStride: 24, columnStride: 1 });
  });

  it('refuses columns that end inside an axis, and rows without one stride', () => {
    expect(rowsOfView({ offset: 0, shape: [4, 6], strides: [6, 1] }, 12)).toBeUndefined();
    expect(rowsOfView({ offset: 0, shape: [2, 4, 6], strides: [0, 6, 1] }, 6)).toBeUndefined();
  });
});

describe('wordRows', () => {
  it('wants columns side by side and rows that begin on a word', () => {
    expect(wordRows({ offset: 8, shape: [9, 20], strides: [128, 1] }, 20, 4)?.rowStride).toBe(128);
    expect(wordRows({ offset: 2, shape: [9, 20], strides: [128, 1] }, 20, 4)).toBeUndefined();
    expect(wordRows({ offset: 0, shape: [9, 20], strides: [22, 1] }, 20, 4)).toBeUndefined();
    expect(wordRows({ offset: 0, shape: [9, 20], strides: [1, 9] }, 20, 1)).toBeUndefined();
    expect(wordRows({ offset: 2, shape: [9, 20], strides: [22, 1] }, 20, 2)?.offset).toBe(2);
  });
});
