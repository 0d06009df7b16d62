import { describe, expect, it } from 'vitest';
import { compareLogits, logitsDigest } from './compare.js';

const expected = [Int32Array.of(1, 2, 3), Int32Array.of(-4, 5, 6)];

describe('compareLogits', () => {
  it('finds nothing in equal logits', () => {
    const same = expected.map((logits) => logits.slice());
    expect(compareLogits(expected, same)).toEqual({ images: 2, differentImages: 0, differentLogits: 0 });
  });

  it('counts images and logits, and says where the first difference is', () => {
    const found = [Int32Array.of(1, 2, 3), Int32Array.of(-4, 7, 8)];
    expect(compareLogits(expected, found)).toEqual({
      images: 2,
      differentImages: 1,
      differentLogits: 2,
      first: { image: 1, logit: 1, expected: 5, found: 7 },
    });
  });

  it('takes missing images and missing logits as different', () => {
    expect(compareLogits(expected, expected.slice(0, 1))).toMatchObject({ differentImages: 1, differentLogits: 3 });
    expect(compareLogits(expected, [])).toMatchObject({ images: 2, differentImages: 2 });
    expect(compareLogits([new Int32Array(0)], [])).toMatchObject({ images: 1, differentImages: 1, differentLogits: 0 });
    const short = [Int32Array.of(1, 2), Int32Array.of(-4, 5, 6)];
    expect(compareLogits(expected, short)).toMatchObject({ differentImages: 1, differentLogits: 1 });
  });
});

describe('logitsDigest', () => {
  it('is the sha256 of the little-endian bytes in order', () => {
    // sha256 of 01000000 02000000 03000000 fcffffff 05000000 06000000
    const swapped = [...expected].reverse();
    expect(logitsDigest(expected)).not.toBe(logitsDigest(swapped));
    expect(logitsDigest([Int32Array.of(1, 2, 3, -4, 5, 6)])).toBe(logitsDigest(expected));
    expect(logitsDigest([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});
