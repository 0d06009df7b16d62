import { describe, expect, it } from 'vitest';
import { inverseRows, mergeRows, relativePositionIndex, shiftMask, spreadBias, windowRows } from './windows.js';

/** The same by the published code's steps: a grid of labels, rolled, sliced, compared. */
function maskBySlices(side: number, window: number, shift: number): number[] {
  const label = new Map<number, number>();
  const slices = [
    [0, side - window],
    [side - window, side - shift],
    [side - shift, side],
  ] as const;
  let count = 0;
  for (const [top, bottom] of slices) {
    for (const [left, right] of slices) {
      for (let y = top; y < bottom; y += 1) for (let x = left; x < right; x += 1) label.set(y * side + x, count);
      count += 1;
    }
  }
  const order = windowRows(side, window, 0);
  const tokens = window * window;
  const mask: number[] = [];
  for (let start = 0; start < order.length; start += tokens) {
    const own = [...order.subarray(start, start + tokens)].map((at) => label.get(at));
    for (const i of own) for (const j of own) mask.push(i === j ? 0 : 1);
  }
  return mask;
}

describe('window rows', () => {
  it('cut a grid into windows', () => {
    expect([...windowRows(4, 2, 0)]).toEqual([0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
  });

  it('roll up and left before cutting', () => {
    expect([...windowRows(4, 2, 1)]).toEqual([5, 6, 9, 10, 7, 4, 11, 8, 13, 14, 1, 2, 15, 12, 3, 0]);
  });

  it.each([
    [8, 4, 2],
    [6, 3, 1],
    [14, 7, 3],
    [7, 7, 0],
  ])('of %i, %i, %i are undone by their inverse', (side, window, shift) => {
    const rows = windowRows(side, window, shift);
    const inverse = inverseRows(rows);
    expect([...inverse].map((at) => rows[at])).toEqual(Array.from({ length: side * side }, (_, at) => at));
  });
});

describe('merge rows', () => {
  it('gather squares in the order (0,0), (1,0), (0,1), (1,1)', () => {
    expect([...mergeRows(4)]).toEqual([0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15]);
  });
});

describe('shift mask', () => {
  it.each([
    [8, 4, 2],
    [6, 3, 1],
    [14, 7, 3],
  ])('of %i, %i, %i equals the published slices', (side, window, shift) => {
    expect([...shiftMask(side, window, shift)]).toEqual(maskBySlices(side, window, shift));
  });
});

describe('relative position', () => {
  it('index of a window of 2', () => {
    expect([...relativePositionIndex(2)]).toEqual([4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4]);
  });

  it('bias of each head and pair', () => {
    const table = Int8Array.from({ length: 18 }, (_, at) => at);
    const spread = spreadBias(table, 2, 2, (length) => new Int8Array(length));
    expect([...spread]).toEqual([
      ...relativePositionIndex(2).map((row) => 2 * row),
      ...relativePositionIndex(2).map((row) => 2 * row + 1),
    ]);
  });
});
