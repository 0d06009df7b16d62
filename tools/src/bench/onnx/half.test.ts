import { describe, expect, it } from 'vitest';
import { toHalves } from './half.js';

const halves = (...numbers: number[]): number[] => [...toHalves(Float32Array.from(numbers))];

/** What a bit pattern means, from the definition. */
function meaning(pattern: number): number {
  const [sign, exponent, fraction] = [pattern >> 15 === 1 ? -1 : 1, (pattern >> 10) & 31, pattern & 1023];
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

describe('toHalves', () => {
  it('gives every finite half back', () => {
    const patterns = Array.from({ length: 65536 }, (_, pattern) => pattern).filter(
      (pattern) => (pattern & 0x7c00) !== 0x7c00,
    );
    expect(halves(...patterns.map(meaning))).toEqual(patterns);
  });

  it('rounds to nearest, ties to even', () => {
    expect(halves(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20)).toEqual([0x3c00, 0x3c02, 0x3c01]);
    expect(halves(2 ** -25, 3 * 2 ** -25, -(2 ** -25) * 1.5)).toEqual([0, 2, 0x8001]);
  });

  it('carries into the exponent and beyond the largest', () => {
    expect(halves(2047.75, 65504, 65519, 65520, -1e30)).toEqual([0x6800, 0x7bff, 0x7bff, 0x7c00, 0xfc00]);
    expect(halves(2 ** -14 - 2 ** -26)).toEqual([0x0400]);
  });
});
