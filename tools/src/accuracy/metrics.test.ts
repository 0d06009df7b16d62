import { describe, expect, test } from 'vitest';
import { measure, powers, rankOf } from './metrics.js';

describe('rankOf', () => {
  test('ties go to the lowest index', () => {
    expect([0, 1, 2].map((label) => rankOf([5, 5, 5], label))).toEqual([0, 1, 2]);
    expect(rankOf([1, 9, 3], 2)).toBe(1);
  });
});

describe('powers', () => {
  test('ignore an offset and see a difference', () => {
    expect(powers([1, 2, 3], [11, 12, 13])).toEqual({ signal: 2, noise: 0 });
    expect(powers([1, 2, 3], [1, 2, 6])).toEqual({ signal: 2, noise: 6 });
  });
});

describe('measure', () => {
  const one = (label: number, float: number[], integer: number[]) => ({
    label,
    float: Float32Array.from(float),
    integer: Float64Array.from(integer),
  });

  test('counts top-1, top-5, agreement', () => {
    const scored = [
      one(0, [9, 1, 0, 0, 0, 0], [8, 1, 0, 0, 0, 0]),
      one(1, [9, 8, 0, 0, 0, 0], [7, 8, 0, 0, 0, 0]),
      one(5, [9, 8, 7, 6, 5, 4], [9, 8, 7, 6, 5, 4]),
      one(2, [9, 8, 7, 6, 5, 4], [9, 8, 7, 6, 5, 4]),
    ];
    const found = measure(scored);
    expect(found.images).toBe(4);
    expect(found.floatTop1.value).toBe(0.25);
    expect(found.intTop1.value).toBe(0.5);
    expect(found.floatTop5.value).toBe(0.75);
    expect(found.intTop5.value).toBe(0.75);
    expect(found.agreement).toEqual({ value: 0.75, error: Math.sqrt((0.75 * 0.25) / 4) });
  });

  test('SQNR is the ratio of summed powers, with an error from leaving one out', () => {
    // Signal 2 + 2, noise 0.02 + 0.06: centered differences (0.1, 0, -0.1) and (0.1, 0.1, -0.2).
    const found = measure([one(0, [1, 2, 3], [0.9, 2, 3.1]), one(0, [1, 2, 3], [0.9, 1.9, 3.2])]);
    expect(found.sqnr.value).toBeCloseTo(10 * Math.log10(4 / 0.08), 6);
    const [first, second] = [10 * Math.log10(2 / 0.06), 10 * Math.log10(2 / 0.02)];
    expect(found.sqnr.error).toBeCloseTo(Math.abs(first - second) / 2, 6);
  });

  test('refuses an empty set', () => {
    expect(() => measure([])).toThrow('no photos');
  });
});
