import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFloats, randomStream } from '../../test/random.js';
import { matmulF32 } from './gemm.js';

/** The definition, one sum after the other in index order. */
function naive(a: Float32Array, w: Float32Array, bias: Float32Array | undefined, m: number, n: number, k: number) {
  const out = new Float32Array(m * n);
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let sum = 0;
      for (let c = 0; c < k; c += 1) sum += (a[i * k + c] as number) * (w[j * k + c] as number);
      out[i * n + j] = sum + (bias === undefined ? 0 : (bias[j] as number));
    }
  }
  return out;
}

describe('matmulF32', () => {
  it('has the bits of the plain triple loop for every size around the tile', () => {
    const size = fc.integer({ min: 1, max: 13 });
    // Around one pass (256) and two.
    const depth = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 250, max: 530 }));
    fc.assert(
      fc.property(size, size, depth, fc.integer(), fc.boolean(), (m, n, k, seed, biased) => {
        const next = randomStream(seed);
        const a = randomFloats(next, m * k, 3);
        const w = randomFloats(next, n * k, 2);
        const bias = biased ? randomFloats(next, n, 5) : undefined;
        expect(matmulF32(a, w, bias, m, n, k)).toEqual(naive(a, w, bias, m, n, k));
      }),
    );
  });

  it('writes into the buffer it is given', () => {
    const out = new Float32Array(1);
    expect(matmulF32(Float32Array.of(2, 3), Float32Array.of(5, 7), Float32Array.of(1), 1, 1, 2, out)).toBe(out);
    expect(out[0]).toBe(32);
  });

  it('refuses lengths that do not fit the shape', () => {
    const four = new Float32Array(4);
    expect(() => matmulF32(new Float32Array(3), four, undefined, 2, 2, 2)).toThrow(RangeError);
    expect(() => matmulF32(four, new Float32Array(5), undefined, 2, 2, 2)).toThrow(RangeError);
    expect(() => matmulF32(four, four, new Float32Array(3), 2, 2, 2)).toThrow(RangeError);
    expect(() => matmulF32(four, four, undefined, 2, 2, 2, new Float32Array(3))).toThrow(RangeError);
  });
});
