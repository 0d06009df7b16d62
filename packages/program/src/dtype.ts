import type { DType, IntArray, Interval } from './types.js';

/** 2^31 - 1, the numerator constant `M` of the spec. */
export const INT32_MAX = 2147483647;

export const DTYPE_RANGE: Readonly<Record<DType, Interval>> = {
  u8: { lo: 0, hi: 255 },
  i8: { lo: -128, hi: 127 },
  i16: { lo: -32768, hi: 32767 },
  i32: { lo: -2147483648, hi: INT32_MAX },
};

export const DTYPE_BYTES: Readonly<Record<DType, number>> = { u8: 1, i8: 1, i16: 2, i32: 4 };

/** A zeroed typed array of a dtype. */
export function allocate(dtype: DType, length: number): IntArray {
  switch (dtype) {
    case 'u8':
      return new Uint8Array(length);
    case 'i8':
      return new Int8Array(length);
    case 'i16':
      return new Int16Array(length);
    case 'i32':
      return new Int32Array(length);
    default:
      return dtype satisfies never;
  }
}

/** Whether an array's class is the one of the dtype. */
export function holds(dtype: DType, data: IntArray): boolean {
  switch (dtype) {
    case 'u8':
      return data instanceof Uint8Array;
    case 'i8':
      return data instanceof Int8Array;
    case 'i16':
      return data instanceof Int16Array;
    case 'i32':
      return data instanceof Int32Array;
    default:
      return dtype satisfies never;
  }
}

const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The array's bytes, little endian on every host. A view where possible, not a copy. */
export function littleEndianBytes(data: IntArray): Uint8Array {
  if (LITTLE_ENDIAN_HOST || data.BYTES_PER_ELEMENT === 1) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  const bytes = new Uint8Array(data.byteLength);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < data.length; i++) {
    if (data.BYTES_PER_ELEMENT === 2) view.setInt16(2 * i, data[i] as number, true);
    else view.setInt32(4 * i, data[i] as number, true);
  }
  return bytes;
}
