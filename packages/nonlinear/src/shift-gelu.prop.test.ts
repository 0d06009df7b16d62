import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactShiftGelu } from '../test/exact.js';
import { shiftGeluRows, shiftGeluTable } from './shift-gelu.js';

const int8 = fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constantFrom(-128, -127, -1, 0, 1, 126, 127));

describe('shiftGeluRows', () => {
  it('equals the definition, row by row, degenerate x0 included', () => {
    fc.assert(
      fc.property(
        fc.array(int8, { minLength: 2, maxLength: 40 }),
        fc.oneof(fc.integer({ min: -127, max: -1 }), fc.integer({ min: -1000, max: -1 })),
        fc.integer({ min: 1, max: 23 }),
        (values, x0, n) => {
          const half = values.length >> 1;
          const x = values.slice(0, 2 * half);
          const want = [x.slice(0, half), x.slice(half)].flatMap((row) => exactShiftGelu(row, x0, n));
          const out = new Int16Array(2 * half + 1);
          shiftGeluRows(out, 1, Int8Array.from([9, 9, ...x]), 2, 2, half, x0, n, shiftGeluTable(x0, n));
          expect([...out].slice(1)).toEqual(want);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('equals the definition for every pair of row maximum and value', () => {
    for (const x0 of [-1, -2, -12, -48, -127, -128, -256, -840]) {
      for (let p = -128; p <= 127; p++) {
        const row = Int8Array.from({ length: p + 129 }, (_, i) => i - 128);
        const out = new Int16Array(row.length);
        shiftGeluRows(out, 0, row, 0, 1, row.length, x0, 23);
        const want = exactShiftGelu([...row], x0, 23);
        if (out.some((value, i) => value !== want[i])) expect([x0, p, [...out]]).toEqual([x0, p, want]);
      }
    }
  });

  it('refuses parameters outside their ranges', () => {
    const fails = (x0: number, n: number): void =>
      expect(() => shiftGeluRows(new Int16Array(1), 0, new Int8Array(1), 0, 1, 1, x0, n)).toThrowError(
        expect.objectContaining({ code: 'E_NONLINEAR' }),
      );
    fails(0, 23);
    fails(-1.5, 23);
    fails(-5, 24);
    fails(-5, 0);
  });
});
