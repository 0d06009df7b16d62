import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exactPow2Table,
  exactShiftExp,
  exactSoftmaxPow2,
  exactSoftmaxShift,
  exactSoftmaxTable,
  M,
  min,
} from '../test/exact.js';
import { POW2_FRACTION } from './pow2-table.js';
import { shiftExp, shiftExpTable } from './shift-exp.js';
import { softmaxRows } from './softmax.js';

const int16 = fc.integer({ min: -32768, max: 32767 });
const near16 = fc.oneof(
  int16,
  fc.integer({ min: -400, max: 400 }),
  fc.constantFrom(-32768, -32767, 32766, 32767, 0, -1),
);
const bits = fc.constantFrom<8 | 16>(8, 16);

function run(
  x: readonly number[],
  rows: number,
  exponential: Parameters<typeof softmaxRows>[6],
  width: 8 | 16,
): number[] {
  const out = width === 8 ? new Int8Array(x.length + 1) : new Int16Array(x.length + 1);
  softmaxRows(out, 1, Int16Array.from([3, ...x]), 1, rows, x.length / rows, exponential, width);
  return [...out].slice(1);
}

describe('shiftExp', () => {
  it('equals the definition, saturated, for every sign of x', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -65535, max: 65535 }),
        fc.oneof(fc.integer({ min: -900, max: -1 }), fc.integer({ min: -(2 ** 31) + 1, max: -1 })),
        fc.integer({ min: 1, max: 30 }),
        (x, x0, n) => {
          const near = x >> 8;
          expect(BigInt(shiftExp(x, x0, n))).toBe(min(exactShiftExp(BigInt(x), BigInt(x0), BigInt(n)), M));
          expect(BigInt(shiftExp(near, x0, n))).toBe(min(exactShiftExp(BigInt(near), BigInt(x0), BigInt(n)), M));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('is exact on every int8 distance of both signs', () => {
    for (let x = -255; x <= 255; x++) {
      for (const x0 of [-1, -2, -3, -16, -58, -127, -128, -256, -294, -840]) {
        for (const n of [15, 23]) {
          const want = Number(min(exactShiftExp(BigInt(x), BigInt(x0), BigInt(n)), M));
          if (shiftExp(x, x0, n) !== want) expect([x, x0, n, shiftExp(x, x0, n)]).toEqual([x, x0, n, want]);
        }
      }
    }
  });

  it('has a table whose last entry holds for every larger distance', () => {
    for (const x0 of [-1, -2, -7, -58, -332, -840]) {
      for (const n of [1, 15, 23]) {
        const table = shiftExpTable(x0, n);
        expect(table.length).toBe(Math.ceil(Number((BigInt(2 - n * x0) * 16n * 1000n) / 23n) / 1000 - 1e-9) + 1);
        for (let d = 0; d < 65536; d += d < table.length + 8 ? 1 : 97) {
          const entry = table[Math.min(d, table.length - 1)] as number;
          if (entry !== shiftExp(-d, x0, n)) expect([x0, n, d, entry]).toEqual([x0, n, d, shiftExp(-d, x0, n)]);
        }
        for (let d = 1; d < table.length; d++) expect(table[d - 1]).toBeGreaterThanOrEqual(table[d] as number);
      }
    }
    expect(shiftExpTable(-100000, 15)).toHaveLength(65536);
  });
});

describe('softmaxRows, shift and table', () => {
  it('equals the definition, also where the sum saturates', () => {
    let saturated = 0;
    fc.assert(
      fc.property(
        fc.array(near16, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: -2000, max: -1 }),
        fc.integer({ min: 1, max: 20 }),
        bits,
        (x, x0, n, width) => {
          const want = exactSoftmaxShift(x, x0, n, BigInt(width));
          expect(run(x, 1, { shift: x0, n }, width)).toEqual(want);
          expect(run(x, 1, { table: shiftExpTable(x0, n) }, width)).toEqual(want);
          if (-x0 * 2 ** n * x.length > 2 ** 31) saturated += 1;
        },
      ),
      { numRuns: 1500 },
    );
    expect(saturated).toBeGreaterThan(20);
  });

  it('takes any positive non-increasing table', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 60 }),
        fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 2, maxLength: 30 }),
        bits,
        (entries, x, width) => {
          const table = [...entries].sort((a, b) => b - a);
          const even = x.length % 2 === 0 ? x : x.slice(1);
          const half = even.length / 2;
          const want = [even.slice(0, half), even.slice(half)].flatMap((row) =>
            exactSoftmaxTable(row, table, BigInt(width)),
          );
          expect(run(even, 2, { table: Int32Array.from(table) }, width)).toEqual(want);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('softmaxRows, pow2', () => {
  const tables = Array.from({ length: 9 }, (_, fraction) => exactPow2Table(fraction));

  it('has the constants of the specification', () => {
    expect([...POW2_FRACTION]).toEqual(tables[8]);
    for (let f = 0; f < 8; f++) expect(POW2_FRACTION.filter((_, g) => g % 2 ** (8 - f) === 0)).toEqual(tables[f]);
  });

  it('equals the definition for every F', () => {
    fc.assert(
      fc.property(
        fc.array(near16, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 8 }),
        bits,
        (x, fraction, width) => {
          const want = exactSoftmaxPow2(x, fraction, tables[fraction] as number[], BigInt(width));
          expect(run(x, 1, { pow2: fraction }, width)).toEqual(want);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('equals the definition for long rows: 8 bits with more than 255 keys, 16 bits up to 65536 keys', () => {
    for (const length of [2, 3, 127, 128, 255, 256, 257, 511, 512, 513, 1025, 4096, 32767, 65536]) {
      for (const spread of [1, 300, 5000]) {
        let state = length;
        const x = Array.from({ length }, () => {
          state = (Math.imul(state, 1664525) + 1013904223) | 0;
          return (state >>> 8) % spread;
        });
        for (const width of [8, 16] as const) {
          const got = run(x, 1, { pow2: 8 }, width);
          const want = exactSoftmaxPow2(x, 8, tables[8] as number[], BigInt(width));
          if (got.some((value, i) => value !== want[i]))
            expect([length, spread, width, got]).toEqual([length, spread, width, want]);
          const rowSum = got.reduce((sum, value) => sum + value, 0);
          expect(rowSum).toBeLessThanOrEqual(2 ** (width - 1) + 1 + length / 2);
          if (width === 8 && length >= 512 && spread === 1) expect(rowSum).toBe(0);
        }
      }
    }
  });

  it('refuses parameters outside their ranges', () => {
    const fails = (exponential: Parameters<typeof softmaxRows>[6]): void =>
      expect(() => run([1, 2], 1, exponential, 16)).toThrowError(
        expect.objectContaining({ name: 'RangeError', code: 'E_NONLINEAR' }),
      );
    fails({ pow2: 9 });
    fails({ pow2: -1 });
    fails({ pow2: 0.5 });
    fails({ shift: 0, n: 15 });
    fails({ shift: -1, n: 31 });
    fails({ table: new Int32Array(0) });
    expect(() => softmaxRows(new Int8Array(1), 0, new Int8Array(1), 0, 1, 0, { pow2: 1 }, 8)).toThrowError(RangeError);
  });
});
