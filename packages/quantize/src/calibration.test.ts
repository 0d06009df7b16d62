import { describe, expect, it } from 'vitest';
import { chooseCalibration, compareBytes, createRandom } from './calibration.js';

const names = Array.from({ length: 10 }, (_, i) => `photo-${i}.jpg`);

describe('chooseCalibration', () => {
  it('takes entry ⌊i·n/count⌋ of the sorted names', () => {
    expect(chooseCalibration([...names].reverse(), 4)).toEqual([0, 2, 5, 7].map((i) => names[i]));
    expect(chooseCalibration(names, 1)).toEqual([names[0]]);
  });

  it('takes all when there are no more', () => {
    expect(chooseCalibration([...names].reverse(), 10)).toEqual(names);
    expect(chooseCalibration(names, 99)).toEqual(names);
  });

  it('sorts by UTF-8 bytes, not by UTF-16 units or locale', () => {
    // U+FFFD is ef bf bd, U+1F600 is f0 9f 98 80: above it in bytes, below it in UTF-16 (d83d de00).
    expect(chooseCalibration(['é', '\u{1F600}', '\uFFFD', 'b', 'B', 'a'], 6)).toEqual([
      'B',
      'a',
      'b',
      'é',
      '\uFFFD',
      '\u{1F600}',
    ]);
    expect(compareBytes('ab', 'a')).toBeGreaterThan(0);
    expect(compareBytes('a', 'a')).toBe(0);
  });

  it('draws without replacement from a seed, the same for the same seed', () => {
    const drawn = chooseCalibration(names, 5, 7);
    expect(new Set(drawn).size).toBe(5);
    expect([...drawn].sort(compareBytes)).toEqual(drawn);
    expect(chooseCalibration([...names].reverse(), 5, 7)).toEqual(drawn);
    expect(drawn).toEqual(['photo-0.jpg', 'photo-5.jpg', 'photo-6.jpg', 'photo-8.jpg', 'photo-9.jpg']);
    const others = [1, 2, 3, 4].map((seed) => chooseCalibration(names, 5, seed).join());
    expect(new Set(others).size).toBeGreaterThan(1);
  });

  it('reaches every name from some seed', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed += 1) for (const name of chooseCalibration(names, 2, seed)) seen.add(name);
    expect(seen.size).toBe(10);
  });

  it('refuses no names, and counts that are none', () => {
    expect(() => chooseCalibration([], 4)).toThrow(expect.objectContaining({ code: 'E_CALIBRATION_EMPTY' }));
    for (const count of [0, -1, 1.5, Number.NaN]) {
      expect(() => chooseCalibration(names, count)).toThrow(expect.objectContaining({ code: 'E_CALIBRATION_COUNT' }));
    }
  });
});

describe('createRandom', () => {
  it('gives the documented numbers', () => {
    const random = createRandom(0);
    expect([random(), random(), random()]).toEqual([2462723854, 1020716019, 454327756]);
  });
});
