import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clamp, roundHalfEven } from './rounding.js';

describe('roundHalfEven', () => {
  it('is the nearest integer, the even one between two', () => {
    fc.assert(
      fc.property(fc.double({ min: -(2 ** 40), max: 2 ** 40, noNaN: true }), (x) => {
        const rounded = roundHalfEven(x);
        expect(Number.isInteger(rounded)).toBe(true);
        expect(Math.abs(rounded - x)).toBeLessThanOrEqual(0.5);
      }),
    );
    for (const [x, wanted] of [
      [0.5, 0],
      [1.5, 2],
      [2.5, 2],
      [-0.5, -0],
      [-1.5, -2],
      [-2.5, -2],
      [0.49999999999999994, 0],
      [4503599627370495.5, 4503599627370496],
    ] as const) {
      expect(roundHalfEven(x) - wanted).toBe(0);
    }
  });
});

describe('clamp', () => {
  it('keeps to the ends', () => {
    expect([clamp(-9, -8, 7), clamp(8, -8, 7), clamp(3, -8, 7)]).toEqual([-8, 7, 3]);
  });
});
