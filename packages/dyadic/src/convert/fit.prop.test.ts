import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeDyadic } from '../dyadic.js';
import { dyadicFromRatio, fit, frexp } from './fit.js';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('frexp', () => {
  it('splits every finite number exactly', () => {
    fc.assert(
      fc.property(finite, (x) => {
        const { mantissa, exponent } = frexp(x);
        if (x === 0) expect([mantissa + 0, exponent]).toEqual([0, 0]);
        else {
          expect(Math.abs(mantissa)).toBeGreaterThanOrEqual(0.5);
          expect(Math.abs(mantissa)).toBeLessThan(1);
          const half = Math.trunc(exponent / 2); // two steps: 2^exponent alone may leave the doubles
          expect(mantissa * 2 ** half * 2 ** (exponent - half)).toBe(x);
        }
      }),
      { numRuns: 5000 },
    );
    expect(frexp(5e-324)).toEqual({ mantissa: 0.5, exponent: -1073 });
    expect(() => frexp(Number.POSITIVE_INFINITY)).toThrowError(expect.objectContaining({ code: 'E_DYADIC' }));
  });
});

describe('fit', () => {
  it('is within half a unit of 31 bits and in range', () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -31, max: 2 ** 31 - 1, noNaN: true }), fc.boolean(), (magnitude, negative) => {
        const ratio = negative ? -magnitude : magnitude;
        const { m, e } = fit(ratio);
        expect(Math.abs(m)).toBeLessThanOrEqual(2 ** 31 - 1);
        expect(Math.abs(m)).toBeGreaterThanOrEqual(2 ** 30);
        expect(e).toBeGreaterThanOrEqual(0);
        expect(e).toBeLessThanOrEqual(62);
        expect(Math.abs(m * 2 ** -e - ratio)).toBeLessThanOrEqual(Math.abs(ratio) * 2 ** -31);
      }),
    );
  });

  it('normalizes the edges', () => {
    expect(dyadicFromRatio(1 - 2 ** -40)).toEqual({ m: 2 ** 31, e: 31 });
    expect(fit(1 - 2 ** -40)).toEqual({ m: 2 ** 30, e: 30 });
    expect(fit(-(1 - 2 ** -40))).toEqual({ m: -(2 ** 30), e: 30 });
    expect(fit(1)).toEqual({ m: 2 ** 30, e: 30 });
    expect(fit(2 ** -32)).toEqual({ m: 2 ** 30, e: 62 });
    expect(fit(2 ** -33)).toEqual({ m: 0, e: 0 });
    expect(fit(0)).toEqual({ m: 0, e: 0 });
    expect(fit(2 ** 30)).toEqual({ m: 2 ** 30, e: 0 });
    expect(() => fit(2 ** 31)).toThrowError(expect.objectContaining({ code: 'E_DYADIC' }));
    expect(() => fit(Number.NaN)).toThrowError(expect.objectContaining({ code: 'E_DYADIC' }));
    expect(() => normalizeDyadic(2 ** 31 + 1, 3)).toThrowError(expect.objectContaining({ code: 'E_DYADIC' }));
    expect(normalizeDyadic(5, 63)).toEqual({ m: 0, e: 0 });
  });
});
