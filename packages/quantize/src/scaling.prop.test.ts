import { rowScale } from '@ivit/nonlinear';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestRowFactor, ratioOf, rowScaling, staticScaling } from './scaling.js';

const LIMIT = 2n ** 52n;
const INT32_MAX = 2147483647;

const ratio = fc.double({ min: 1e-9, max: 100, noNaN: true });
const signed = fc.tuple(ratio, fc.boolean()).map(([r, minus]) => (minus ? -r : r));

const magnitude = (x: bigint): bigint => (x < 0n ? -x : x);

describe('staticScaling', () => {
  it('keeps numerators below 2^52 and takes the largest shift that does', () => {
    fc.assert(
      fc.property(
        fc.array(signed, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: INT32_MAX }),
        (list, bound) => {
          const { m, e } = staticScaling(Float64Array.from(list), bound, 'test');
          expect(e).toBeLessThanOrEqual(32);
          const widest = (shift: number): boolean =>
            list.every((r) => {
              const multiplier = BigInt(Math.round(r * 2 ** shift));
              return magnitude(multiplier) <= BigInt(INT32_MAX) && magnitude(multiplier) * BigInt(bound) < LIMIT;
            });
          expect([...m].every((multiplier) => magnitude(BigInt(multiplier)) * BigInt(bound) < LIMIT)).toBe(true);
          for (const [c, r] of list.entries())
            expect(Math.abs((m[c] as number) / 2 ** e - r)).toBeLessThanOrEqual(2 ** -e / 2);
          if (e < 32) expect(widest(e + 1)).toBe(false);
        },
      ),
    );
  });

  it('refuses a ratio that no shift can hold', () => {
    expect(() => staticScaling(Float64Array.of(1e12), 1, 'layer')).toThrow(
      expect.objectContaining({ code: 'E_QUANTIZE_RANGE', where: 'layer' }),
    );
  });
});

describe('rowScaling', () => {
  it('keeps |x|·f·2^E·|m| + |bias|·2^k below 2^52 with all parts in int32', () => {
    const channel = fc.tuple(signed, fc.double({ min: -1e5, max: 1e5, noNaN: true }), fc.integer({ min: 1, max: 5e7 }));
    fc.assert(
      fc.property(
        fc.array(channel, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 16, max: 1e5 }),
        (list, factor) => {
          const ratios = Float64Array.from(list, ([r]) => r * 1e-4);
          const reals = Float64Array.from(list, ([, b]) => b);
          const bounds = Float64Array.from(list, ([, , x]) => x);
          const { m, e, bias, k } = rowScaling(ratios, reals, bounds, factor, 'test');
          expect(e).toBeLessThanOrEqual(32);
          expect(k).toBeLessThanOrEqual(62);
          for (const [c, real] of reals.entries()) {
            const numerator =
              BigInt(bounds[c] as number) * BigInt(factor) * magnitude(BigInt(m[c] as number)) +
              magnitude(BigInt(bias[c] as number) << BigInt(k));
            expect(numerator < LIMIT).toBe(true);
            expect(Math.abs((bias[c] as number) * 2 ** (k - e) - real)).toBeLessThanOrEqual(2 ** (k - e) / 2);
          }
        },
      ),
    );
  });
});

describe('largestRowFactor', () => {
  it('bounds every row that rowscale can see, tightly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -32768, max: 0 }),
        fc.integer({ min: 0, max: 32767 }),
        fc.constantFrom(0, 16, -16, 32, -32, -64, -96, -104, -112, -120),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (lo, hi, z, share) => {
          const factor = (row: readonly number[]): number => {
            const codes = new Uint8Array(1);
            rowScale(codes, 0, Int16Array.from(row), 0, 1, row.length, Int32Array.of(127 - z), Int32Array.of(128 + z));
            const code = codes[0] as number;
            return (16 + (code & 15)) * 2 ** (code >> 4);
          };
          const bound = largestRowFactor(lo, hi, z);
          expect(factor([lo, hi])).toBe(bound);
          expect(factor([Math.round(lo * share), Math.round(hi * share)])).toBeLessThanOrEqual(bound);
        },
      ),
    );
  });
});

describe('ratioOf', () => {
  it('is within 2^-31 of the ratio', () => {
    const { m, e } = ratioOf(1, 3);
    expect(Math.abs(m / 2 ** e - 1 / 3)).toBeLessThan(2 ** -32);
  });
});
