import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactLayerNorm, exactNewton } from '../test/exact.js';
import { layerNormRows, newtonDeviation } from './layer-norm.js';

const int16 = fc.oneof(
  fc.integer({ min: -32768, max: 32767 }),
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(-32768, -32767, -1, 0, 1, 32766, 32767),
);

describe('newtonDeviation', () => {
  it('takes the ten steps on boundary values up to 2^53', () => {
    for (let i = 0; i <= 53; i++) {
      for (let d = -2; d <= 2; d++) {
        const v = 2 ** i + d;
        if (v >= 0 && v < 2 ** 53) expect(BigInt(newtonDeviation(v))).toBe(exactNewton(BigInt(v)));
      }
    }
  });

  it('takes them next to squares, where it is no integer square root', () => {
    let above = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 24 }), (t) => {
        for (const v of [t * t - 1, t * t, t * t + 1, t * t + 2 * t]) {
          const k = newtonDeviation(v);
          expect(BigInt(k)).toBe(exactNewton(BigInt(v)));
          if (t > 200 && t < 2 ** 20 && k > Math.floor(Math.sqrt(v))) above += 1;
        }
      }),
      { numRuns: 3000 },
    );
    expect(above).toBeGreaterThan(10);
    expect([160, 128, 96, 64, 0].map((root) => newtonDeviation(root * root))).toEqual([162, 132, 105, 83, 64]);
  });
});

describe('layerNormRows', () => {
  it('equals the definition, results beyond int32 included', () => {
    fc.assert(
      fc.property(
        fc.array(int16, { minLength: 2, maxLength: 60 }),
        fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 })),
        fc.boolean(),
        (values, firstBias, flat) => {
          const half = values.length >> 1;
          const x = values.slice(0, 2 * half).map((value, i) => (flat && i !== 1 ? 7 : value));
          const bias = firstBias === null ? null : Array.from({ length: half }, (_, c) => firstBias - c * 12345);
          const want = [x.slice(0, half), x.slice(half)].flatMap((row) => exactLayerNorm(row, bias));
          const out: number[] = [0];
          layerNormRows(out, 1, Int16Array.from([5, ...x]), 1, 2, half, bias);
          expect(out.slice(1).map((value) => value + 0)).toEqual(want);
          if (want.every((value) => value === (value | 0))) {
            const narrow = new Int32Array(2 * half);
            layerNormRows(narrow, 0, Int16Array.from(x), 0, 2, half, bias);
            expect([...narrow]).toEqual(want);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('equals the definition at full scale and at ties of the mean', () => {
    for (const length of [1, 2, 64, 192, 768, 1024]) {
      const rows = [
        Array.from({ length }, (_, i) => (i % 2 === 0 ? -32768 : 32767)),
        Array.from({ length }, (_, i) => (i === 0 ? 32767 : -32768)),
        Array.from({ length }, (_, i) => (i < length / 2 ? 3 : 4)),
        Array.from({ length }, (_, i) => (i < length / 2 ? -3 : -2)),
        new Array<number>(length).fill(-32768),
      ];
      for (const row of rows) {
        const out: number[] = [];
        layerNormRows(out, 0, Int16Array.from(row), 0, 1, length, null);
        expect(out.map((value) => value + 0)).toEqual(exactLayerNorm(row, null));
      }
    }
  });

  it('refuses rows it cannot hold exactly', () => {
    const fails = (length: number): void =>
      expect(() => layerNormRows([], 0, new Int16Array(1), 0, 1, length, null)).toThrowError(
        expect.objectContaining({ code: 'E_NONLINEAR' }),
      );
    fails(0);
    fails(2 ** 20 + 1);
  });
});
