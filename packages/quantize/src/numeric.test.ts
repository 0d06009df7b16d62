import { describe, expect, it } from 'vitest';
import { decibels, largestOf, maxMagnitude, naturalLog, roundHalfEven } from './numeric.js';

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [1125899906842623.5, 1125899906842624],
    [2 ** 51 + 1, 2 ** 51 + 1],
    [-(2 ** 60), -(2 ** 60)],
  ])('%d to %d', (x, y) => {
    expect(roundHalfEven(x)).toBe(y);
  });

  it('has no negative zero', () => {
    expect(Object.is(roundHalfEven(-0.2), 0)).toBe(true);
  });
});

describe('decibels', () => {
  it('agrees with log10', () => {
    for (const ratio of [1e-12, 0.3, 0.5, 0.7071, 1, 1.4142, 2, 10, 12345.678, 1e15]) {
      expect(decibels(ratio * 3, 3)).toBeCloseTo(10 * Math.log10(ratio), 10);
      expect(naturalLog(ratio)).toBeCloseTo(Math.log(ratio), 11);
    }
  });

  it('is absent without signal or noise', () => {
    expect(decibels(0, 1)).toBeUndefined();
    expect(decibels(1, 0)).toBeUndefined();
    expect(decibels(Number.NaN, 1)).toBeUndefined();
  });
});

describe('largest values', () => {
  it('finds them', () => {
    expect(maxMagnitude([1, -3, 2])).toBe(3);
    expect(largestOf([-5, -3, -4])).toBe(-3);
    expect(maxMagnitude([])).toBe(0);
  });
});
