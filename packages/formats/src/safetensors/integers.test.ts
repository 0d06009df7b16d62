import { describe, expect, it } from 'vitest';
import { refusal } from '../../test/raw-file.js';
import type { SafetensorsDType } from './dtypes.js';
import { toIntegers } from './integers.js';
import type { TensorEntry } from './types.js';

/** A tensor at an odd offset from its 64-bit patterns, each cut to `size` bytes. */
function tensor(dtype: SafetensorsDType, size: number, patterns: readonly bigint[]): TensorEntry {
  const buffer = new Uint8Array(1 + size * patterns.length);
  for (const [index, pattern] of patterns.entries()) {
    for (let byte = 0; byte < size; byte += 1) {
      buffer[1 + size * index + byte] = Number((pattern >> BigInt(8 * byte)) & 255n);
    }
  }
  return { name: 'x', dtype, shape: [patterns.length], bytes: buffer.subarray(1), offset: 99 };
}

const EDGES = Array.from({ length: 64 }, (_, i) => [
  1n << BigInt(i),
  (1n << BigInt(i)) - 1n,
  -(1n << BigInt(i)),
]).flat();

describe('toIntegers', () => {
  it.each([
    ['I8', 1, Int8Array, 8, true],
    ['U8', 1, Uint8Array, 8, false],
    ['I16', 2, Int16Array, 16, true],
    ['U16', 2, Uint16Array, 16, false],
    ['I32', 4, Int32Array, 32, true],
    ['U32', 4, Uint32Array, 32, false],
  ] as const)('decodes %s at any alignment', (dtype, size, kind, bits, signed) => {
    const expected = EDGES.map((edge) => Number(signed ? BigInt.asIntN(bits, edge) : BigInt.asUintN(bits, edge)));
    const values = toIntegers(tensor(dtype, size, EDGES));
    expect(values).toBeInstanceOf(kind);
    expect([...values]).toStrictEqual(expected);
  });

  it.each(['I64', 'U64'] as const)('decodes %s within ±(2^53 - 1) exactly and refuses the rest', (dtype) => {
    let refused = 0;
    for (const edge of EDGES) {
      const entry = tensor(dtype, 8, [5n, edge]);
      const exact = dtype === 'I64' ? BigInt.asIntN(64, edge) : BigInt.asUintN(64, edge);
      if (exact <= 9007199254740991n && exact >= -9007199254740991n) {
        expect([...toIntegers(entry)]).toStrictEqual([5, Number(exact)]);
        continue;
      }
      const error = refusal(() => toIntegers(entry));
      expect(error.code).toBe('E_INTEGER_RANGE');
      expect(error.where).toBe('tensor "x", element 1, byte 99');
      refused += 1;
    }
    expect(refused).toBeGreaterThan(20);
  });

  it('decodes BOOL and refuses a byte that is neither', () => {
    expect(toIntegers(tensor('BOOL', 1, [0n, 1n, 1n]))).toStrictEqual(Uint8Array.of(0, 1, 1));
    const error = refusal(() => toIntegers(tensor('BOOL', 1, [0n, 2n])));
    expect(error.code).toBe('E_INTEGER_RANGE');
    expect(error.where).toBe('tensor "x", element 1, byte 99');
  });

  it('gives memory of its own, also from a Buffer', () => {
    const bytes = Buffer.from([1, 2, 3, 4]);
    for (const dtype of ['U8', 'I8', 'BOOL', 'I16', 'I32'] as const) {
      const content = dtype === 'BOOL' ? Buffer.from([1, 0]) : bytes;
      const values = toIntegers({ name: 'x', dtype, shape: [], bytes: content });
      const before = [...values];
      content.fill(9);
      expect([...values]).toStrictEqual(before);
      bytes.set([1, 2, 3, 4]);
    }
  });

  it.each(['F64', 'F32', 'F16', 'BF16'] as const)('refuses %s', (dtype) => {
    expect(refusal(() => toIntegers(tensor(dtype, 8, [0n]))).code).toBe('E_TENSOR_DTYPE');
  });
});
