/** Element types of an integer program. */
export type DType = 'u8' | 'i8' | 'i16' | 'i32';

export type IntegerArray = Uint8Array | Int8Array | Int16Array | Int32Array;

export interface DTypeInfo {
  readonly bytes: 1 | 2 | 4;
  /** Smallest value. */
  readonly lo: number;
  /** Largest value. */
  readonly hi: number;
}

export const DTYPES: Readonly<Record<DType, DTypeInfo>> = {
  u8: { bytes: 1, lo: 0, hi: 255 },
  i8: { bytes: 1, lo: -128, hi: 127 },
  i16: { bytes: 2, lo: -32768, hi: 32767 },
  i32: { bytes: 4, lo: -2147483648, hi: 2147483647 },
};

/** A zeroed array of `length` elements. */
export function makeArray(dtype: DType, length: number): IntegerArray {
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

/** A typed array over existing bytes; `byteOffset` must be a multiple of the element size. */
export function viewBytes(dtype: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): IntegerArray {
  switch (dtype) {
    case 'u8':
      return new Uint8Array(buffer, byteOffset, length);
    case 'i8':
      return new Int8Array(buffer, byteOffset, length);
    case 'i16':
      return new Int16Array(buffer, byteOffset, length);
    case 'i32':
      return new Int32Array(buffer, byteOffset, length);
    default:
      return dtype satisfies never;
  }
}

export function dtypeOf(array: IntegerArray): DType {
  if (array instanceof Uint8Array) return 'u8';
  if (array instanceof Int8Array) return 'i8';
  return array instanceof Int16Array ? 'i16' : 'i32';
}
