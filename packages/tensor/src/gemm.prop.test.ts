import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPackedMatrix, type GemmLeft, gemm, gemmPacked, packMatrix, repackMatrix } from './gemm.js';

/** The definition; sums below 2^53 by the sizes used here. */
function reference(a: GemmLeft, b: Int8Array, m: number, n: number, k: number, bias: Int32Array | null): number[] {
  const out: number[] = [];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = bias === null ? 0 : (bias[j] as number);
      for (let t = 0; t < k; t++) sum += (a[i * k + t] as number) * (b[j * k + t] as number);
      out.push(sum);
    }
  }
  return out;
}

function fill<T extends GemmLeft>(array: T, lo: number, hi: number, seed: number, extreme: boolean): T {
  let state = seed >>> 0;
  for (let i = 0; i < array.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    array[i] = extreme ? (state >>> 31 === 0 ? lo : hi) : lo + ((state >>> 8) % (hi - lo + 1));
  }
  return array;
}

const size = fc.record({
  m: fc.integer({ min: 1, max: 35 }),
  n: fc.integer({ min: 1, max: 27 }),
  k: fc.integer({ min: 1, max: 70 }),
  seed: fc.nat(),
  extreme: fc.boolean(),
  withBias: fc.boolean(),
  left: fc.constantFrom('i8', 'u8', 'i16'),
});

function left(kind: string, length: number, seed: number, extreme: boolean): GemmLeft {
  if (kind === 'i8') return fill(new Int8Array(length), -128, 127, seed, extreme);
  if (kind === 'u8') return fill(new Uint8Array(length), 0, 255, seed, extreme);
  return fill(new Int16Array(length), -32768, 32767, seed, extreme);
}

describe('gemmPacked', () => {
  it('equals the definition at every size around the 2x8 tile and the 16-row block', () => {
    fc.assert(
      fc.property(size, ({ m, n, k, seed, extreme, withBias, left: kind }) => {
        const a = left(kind, m * k, seed, extreme);
        const b = fill(new Int8Array(n * k), -128, 127, seed + 1, extreme);
        const bias = withBias ? Int32Array.from({ length: n }, (_, j) => j * 1000003 - 9999) : null;
        const out = new Int32Array(m * n).fill(77);
        gemmPacked(out, 0, n, a, 0, k, m, packMatrix(b, n, k), bias);
        expect([...out]).toEqual(reference(a, b, m, n, k, bias));
      }),
      { numRuns: 600 },
    );
  });

  it('is exact at full scale where one stretch of k would overflow: all -128, and int16 by int8', () => {
    for (const k of [2047, 2048, 2049, 4096, 5000]) {
      const a = new Int8Array(3 * k).fill(-128);
      const b = new Int8Array(9 * k).fill(-128);
      const out = new Int32Array(27);
      gemmPacked(out, 0, 9, a, 0, k, 3, packMatrix(b, 9, k), null);
      expect([...out]).toEqual(new Array(27).fill(k * 16384));
    }
    // |y| = 511 * 32768 * 128 < 2^31: the largest K that any int16 x int8 product can prove
    for (const k of [7, 8, 15, 64, 511]) {
      for (const signs of [1, -1]) {
        const a = new Int16Array(5 * k).fill(-32768);
        const b = new Int8Array(11 * k);
        for (let i = 0; i < b.length; i++) b[i] = Math.floor(i / k) % 2 === 0 ? -128 : 127 * signs;
        const out = new Int32Array(55);
        gemmPacked(out, 0, 11, a, 0, k, 5, packMatrix(b, 11, k), null);
        expect([...out]).toEqual(reference(a, b, 5, 11, k, null));
      }
    }
  });

  it('is exact at the edge of one stretch: Σ|a|·max|b| just below and above 2^25', () => {
    for (const k of [256, 257, 262143, 262144, 262145]) {
      // all ones against ±128: S = ±128 k around 2^25 for the last three
      const a = new Int16Array(2 * k).fill(1);
      const b = new Int8Array(8 * k);
      for (let j = 0; j < 8; j++) b.fill(j % 2 === 0 ? -128 : 127, j * k, (j + 1) * k);
      const out = new Int32Array(16);
      gemmPacked(out, 0, 8, a, 0, k, 2, packMatrix(b, 8, k), null);
      expect([...out]).toEqual(Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? -128 * k : 127 * k)));
    }
  });

  it('honors offsets and row strides and leaves the rest alone', () => {
    const a = Int8Array.of(9, 1, 2, 3, 9, 9, 4, 5, 6, 9);
    const b = Int8Array.of(1, 10, 100, -1, -10, -100);
    const out = new Int32Array(9).fill(-5);
    gemmPacked(out, 1, 4, a, 1, 5, 2, packMatrix(b, 2, 3), Int32Array.of(0, 7));
    expect([...out]).toEqual([-5, 321, -314, -5, -5, 654, -647, -5, -5]);
  });

  it('rejects operands that leave their arrays', () => {
    const packed = packMatrix(new Int8Array(6), 2, 3);
    const fails = (call: () => void): void => expect(call).toThrowError(expect.objectContaining({ code: 'E_GEMM' }));
    fails(() => packMatrix(new Int8Array(5), 2, 3));
    fails(() => gemmPacked(new Int32Array(4), 0, 2, new Int8Array(5), 0, 3, 2, packed, null));
    fails(() => gemmPacked(new Int32Array(3), 0, 2, new Int8Array(6), 0, 3, 2, packed, null));
    fails(() => gemmPacked(new Int32Array(4), 0, 1, new Int8Array(6), 0, 3, 2, packed, null));
    fails(() => gemmPacked(new Int32Array(4), 0, 2, new Int8Array(6), 0, 3, 2, packed, new Int32Array(1)));
    fails(() => gemmPacked(new Int32Array(4), 0, 2, new Int8Array(6), 0, 3, 0, packed, null));
  });
});

describe('gemm', () => {
  it('takes the right operand as [N,K] or [K,N] and reuses its scratch', () => {
    const scratch = createPackedMatrix();
    fc.assert(
      fc.property(size, ({ m, n, k, seed, extreme, left: kind }) => {
        const a = left(kind, m * k, seed, extreme);
        const b = fill(new Int8Array(n * k), -128, 127, seed + 1, extreme);
        const transposed = new Int8Array(n * k);
        for (let j = 0; j < n; j++) for (let t = 0; t < k; t++) transposed[t * n + j] = b[j * k + t] as number;
        const want = reference(a, b, m, n, k, null);
        const out = new Int32Array(m * n);
        gemm(out, 0, n, a, 0, k, b, 0, k, 1, m, n, k, null, scratch);
        expect([...out]).toEqual(want);
        gemm(out.fill(1), 0, n, a, 0, k, transposed, 0, 1, n, m, n, k, null, scratch);
        expect([...out]).toEqual(want);
      }),
      { numRuns: 200 },
    );
  });

  it('repacks smaller matrices into larger storage', () => {
    const packed = createPackedMatrix();
    repackMatrix(packed, new Int8Array(400).fill(100), 0, 20, 20, 20, 1);
    repackMatrix(packed, Int8Array.of(1, 2, 3, 4, 5, 6), 0, 3, 2, 2, 1);
    const out = new Int32Array(3);
    gemmPacked(out, 0, 3, Int8Array.of(10, 1), 0, 2, 1, packed, null);
    expect([...out]).toEqual([12, 34, 56]);
    expect(packed.maxAbs).toBe(6);
  });
});
