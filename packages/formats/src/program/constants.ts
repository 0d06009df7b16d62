import type { Constant, DType, IntArray } from '@ivit/program';
import { DTYPES, dtypeOf, makeArray, viewBytes } from '@ivit/tensor';
import type { SafetensorsDType } from '../safetensors/dtypes.js';

/** The safetensors element type of each program dtype. */
export const FILE_DTYPE: Readonly<Record<DType, SafetensorsDType>> = { u8: 'U8', i8: 'I8', i16: 'I16', i32: 'I32' };

const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Little-endian bytes at any alignment as a typed array: of its own, or with `borrow` a window on the bytes where
 * alignment and host allow.
 */
export function decodeElements(dtype: DType, bytes: Uint8Array, borrow: boolean): IntArray {
  const size = DTYPES[dtype].bytes;
  // A shift instead of a quotient: sizes are 1, 2 and 4.
  const length = bytes.length >> (size >> 1);
  if (size > 1 && !LITTLE_ENDIAN_HOST) return swapElements(dtype, bytes, length);
  const held = borrow && bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return viewBytes(dtype, held.buffer, held.byteOffset, length);
}

function swapElements(dtype: DType, bytes: Uint8Array, length: number): IntArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements = makeArray(dtype, length);
  for (let index = 0; index < length; index += 1) {
    elements[index] = dtype === 'i16' ? view.getInt16(2 * index, true) : view.getInt32(4 * index, true);
  }
  return elements;
}

/** Whether the data's class is the one of the dtype and its length the product of the shape. */
export function holdsItsShape({ dtype, shape, data }: Pick<Constant, 'dtype' | 'shape' | 'data'>): boolean {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  return dtypeOf(data) === dtype && data.length === size;
}
