import fc from 'fast-check';
import { expect, it } from 'vitest';
import { absoluteSums } from './absolute-sums.js';

function expected(w: Int8Array, rows: number, inputs: number): number[] {
  return Array.from({ length: rows }, (_, row) =>
    w.slice(row * inputs, (row + 1) * inputs).reduce((sum, entry) => sum + Math.abs(entry), 0),
  );
}

it('sums magnitudes of rows of every length and alignment', () => {
  const matrix = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 1200 }), fc.integer(), fc.nat(7));
  fc.assert(
    fc.property(matrix, ([rows, inputs, seed, offset]) => {
      const w = new Int8Array(new ArrayBuffer(offset + rows * inputs), offset);
      for (let i = 0, state = seed; i < w.length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        // Often the ends of the range.
        w[i] = state < 0 ? state >> 24 : ([-128, -127, -1, 0, 127][state % 5] ?? 0);
      }
      expect(absoluteSums(w, rows, inputs)).toEqual(expected(w, rows, inputs));
    }),
    { numRuns: 300 },
  );
});

it('holds where every entry is -128 and where all are 127', () => {
  for (const entry of [-128, 127, -1]) {
    const w = new Int8Array(3 * 4096).fill(entry);
    expect(absoluteSums(w, 3, 4096)).toEqual(new Array(3).fill(4096 * Math.abs(entry)));
  }
});
