import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { erf, exp, gelu, powerOfTwo } from './math.js';

describe('exp', () => {
  it('agrees with Math.exp to 1e-15 wherever the result is a normal double', () => {
    fc.assert(
      fc.property(fc.double({ min: -708, max: 709.7, noNaN: true }), (x) => {
        const wanted = Math.exp(x);
        expect(Math.abs(exp(x) - wanted)).toBeLessThanOrEqual(wanted * 1e-15);
      }),
      { numRuns: 20_000 },
    );
  });

  it('is within a subnormal step below the normal range', () => {
    fc.assert(
      fc.property(fc.double({ min: -745, max: -708, noNaN: true }), (x) => {
        expect(Math.abs(exp(x) - Math.exp(x))).toBeLessThanOrEqual(Number.MIN_VALUE + Math.exp(x) * 1e-15);
      }),
    );
  });

  it('has the ends and exact points of e^x', () => {
    expect(exp(0)).toBe(1);
    expect(exp(-0)).toBe(1);
    expect(exp(710)).toBe(Number.POSITIVE_INFINITY);
    expect(exp(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(exp(-746)).toBe(0);
    expect(exp(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(exp(Number.NaN)).toBeNaN();
    expect(Number.isFinite(exp(709.782712893384))).toBe(true);
    expect(Math.abs(exp(1) - Math.E)).toBeLessThanOrEqual(Math.E * 1e-15);
  });
});

describe('powerOfTwo', () => {
  it('is exact over the whole range of doubles', () => {
    for (let k = -1074; k <= 1023; k += 1) expect(powerOfTwo(k)).toBe(2 ** k);
    expect(() => powerOfTwo(1024)).toThrow(RangeError);
    expect(() => powerOfTwo(-1075)).toThrow(RangeError);
  });
});

describe('erf', () => {
  /** mpmath 1.3, 30 digits, rounded to double. */
  const KNOWN: readonly (readonly [number, number])[] = [
    [0, 0],
    [0.001, 0.0011283787909692365],
    [0.0625, 0.07043197772238707],
    [0.1, 0.1124629160182849],
    [0.3, 0.3286267594591274],
    [0.5, 0.5204998778130465],
    [0.75, 0.7111556336535151],
    [1, 0.8427007929497149],
    [1.3, 0.9340079449406524],
    [1.6, 0.976348383344644],
    [2, 0.9953222650189527],
    [2.4375, 0.9994334567454198],
    [2.8, 0.9999249868053346],
    [3.3, 0.9999969422902035],
    [4, 0.9999999845827421],
    [5, 0.9999999999984626],
    [5.9, 0.9999999999999999],
    [6, 1],
    [40, 1],
  ];

  it.each(KNOWN)('erf(±%f)', (x, wanted) => {
    expect(Math.abs(erf(x) - wanted)).toBeLessThanOrEqual(1e-15);
    expect(erf(-x)).toBe(x === 0 ? 0 : -erf(x));
  });

  it('agrees with its Maclaurin series near 0 and with a fine Simpson integral elsewhere', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 6, noNaN: true }), (x) => {
        const steps = 2000;
        const width = x / steps;
        let sum = 1 + Math.exp(-x * x);
        for (let i = 1; i < steps; i += 1) sum += (i % 2 === 1 ? 4 : 2) * Math.exp(-((i * width) ** 2));
        const integral = ((2 / Math.sqrt(Math.PI)) * sum * width) / 3;
        expect(Math.abs(erf(x) - integral)).toBeLessThanOrEqual(1e-11);
      }),
      { numRuns: 300 },
    );
  });

  it('passes NaN on and has signed ends', () => {
    expect(erf(Number.NaN)).toBeNaN();
    expect(erf(Number.POSITIVE_INFINITY)).toBe(1);
    expect(erf(Number.NEGATIVE_INFINITY)).toBe(-1);
  });
});

describe('gelu', () => {
  it('is x·Φ(x) at known points', () => {
    // Φ(1) = 0.8413447460685429, Φ(-2) = 0.022750131948179195.
    expect(gelu(0)).toBe(0);
    expect(gelu(1)).toBeCloseTo(0.8413447460685429, 15);
    expect(gelu(-2)).toBeCloseTo(-0.04550026389635839, 15);
    expect(gelu(9)).toBe(9);
  });
});
