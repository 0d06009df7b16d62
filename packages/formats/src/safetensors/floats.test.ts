import { describe, expect, it } from 'vitest';
import { refusal } from '../../test/raw-file.js';
import type { SafetensorsDType } from './dtypes.js';
import { assertFinite, halfToFloatBits, toFloat32, toFloat64 } from './floats.js';

/** A tensor whose bytes start at an odd offset. */
function unaligned(dtype: SafetensorsDType, bytes: Uint8Array, elements: number): Parameters<typeof toFloat32>[0] {
  const buffer = new Uint8Array(bytes.length + 1);
  buffer.set(bytes, 1);
  return { name: 'x', dtype, shape: [elements], bytes: buffer.subarray(1) };
}

function bytesOf(size: number, count: number, put: (view: DataView, at: number, index: number) => void): Uint8Array {
  const bytes = new Uint8Array(size * count);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index += 1) put(view, size * index, index);
  return bytes;
}

/** Value of a binary16 number by its definition (IEEE 754-2019, 3.4), in float64, where it is exact. */
function halfByDefinition(bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const exponent = Math.floor(bits / 1024) % 32;
  const fraction = bits % 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

describe('toFloat32', () => {
  it('decodes every one of the 65,536 half numbers', () => {
    const entry = unaligned(
      'F16',
      bytesOf(2, 65536, (view, at, i) => view.setUint16(at, i, true)),
      65536,
    );
    const single = toFloat32(entry);
    const double = toFloat64(entry);
    let wrong = 0;
    for (let bits = 0; bits < 65536; bits += 1) {
      const expected = halfByDefinition(bits);
      if (!Object.is(single[bits], expected) || !Object.is(double[bits], expected)) wrong += 1;
    }
    expect(wrong).toBe(0);
    expect(single.length).toBe(65536);
  });

  it('keeps the payload of a half NaN', () => {
    expect(halfToFloatBits(0xfe01)).toBe(0xffc02000);
  });

  it('decodes every one of the 65,536 bfloat16 numbers as the upper half of a binary32', () => {
    const values = toFloat32(
      unaligned(
        'BF16',
        bytesOf(2, 65536, (view, at, i) => view.setUint16(at, i, true)),
        65536,
      ),
    );
    const expected = new DataView(new ArrayBuffer(4));
    let wrong = 0;
    for (let bits = 0; bits < 65536; bits += 1) {
      expected.setUint16(0, bits, false);
      if (!Object.is(values[bits], expected.getFloat32(0, false))) wrong += 1;
    }
    expect(wrong).toBe(0);
  });

  it('decodes F32 bit for bit at any alignment', () => {
    const numbers = [0, -0, 1, -1.5, 2 ** -149, -(2 ** -126), 3.4028234663852886e38, Infinity, -Infinity, NaN, 0.1];
    const bytes = bytesOf(4, numbers.length, (view, at, i) => view.setFloat32(at, numbers[i] as number, true));
    const expected = Float32Array.from(numbers);
    expect(toFloat32(unaligned('F32', bytes, numbers.length))).toStrictEqual(expected);
    expect(toFloat64(unaligned('F32', bytes, numbers.length))).toStrictEqual(Float64Array.from(expected));
  });

  it('keeps F64 as float64 and rounds it to nearest, ties to even, as float32', () => {
    const numbers = [0.1, 1 + 2 ** -24, 1 + 3 * 2 ** -24, 1 + 2 ** -24 + 2 ** -52, 1e300, -1e300, 2 ** -150, -0];
    const bytes = bytesOf(8, numbers.length, (view, at, i) => view.setFloat64(at, numbers[i] as number, true));
    const entry = unaligned('F64', bytes, numbers.length);
    expect(toFloat64(entry)).toStrictEqual(Float64Array.from(numbers));
    const rounded = [...toFloat32(entry)];
    expect(rounded.slice(1)).toStrictEqual([1, 1 + 2 ** -22, 1 + 2 ** -23, Infinity, -Infinity, 0, -0]);
    expect(rounded[0]).toBe(13421773 * 2 ** -27);
  });

  it('refuses integers', () => {
    for (const decode of [toFloat32, toFloat64]) {
      const error = refusal(() => decode({ name: 'w', dtype: 'I8', shape: [1], bytes: new Uint8Array(1) }));
      expect(error.code).toBe('E_TENSOR_DTYPE');
      expect(error.where).toBe('tensor "w"');
    }
  });
});

describe('assertFinite', () => {
  it('lets finite numbers pass', () => {
    expect(() => assertFinite(Float32Array.of(0, -0, 3.4e38, -1e-45), 'w')).not.toThrow();
  });

  it.each([NaN, Infinity, -Infinity])('names the first %d', (value) => {
    const error = refusal(() => assertFinite(Float64Array.of(1, 2, value, NaN), 'blocks.0.w', 'm.safetensors'));
    expect(error.code).toBe('E_NON_FINITE');
    expect(error.where).toBe('m.safetensors, tensor "blocks.0.w", element 2');
    expect(error.message).toContain(String(value));
  });
});
