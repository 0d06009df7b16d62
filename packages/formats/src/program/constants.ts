import type { Constant, DType, IntArray } from '@ivit/program';
import { dtypeOf, makeArray } from '@ivit/tensor';
import type { SafetensorsDType } from '../safetensors/dtypes.js';

/** The safetensors element type of each program dtype. */
export const FILE_DTYPE: Readonly<Record<DType, SafetensorsDType>> = { u8: 'U8', i8: 'I8', i16: 'I16', i32: 'I32' };

/** Little-endian bytes at any alignment as a typed array of its own. */
export function decodeElements(dtype: DType, bytes: Uint8Array): IntArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case 'u8':
      return new Uint8Array(bytes);
    case 'i8':
      return new Int8Array(new Uint8Array(bytes).buffer);
    case 'i16': {
      const elements = makeArray('i16', bytes.length >> 1);
      for (let index = 0; index < elements.length; index += 1) elements[index] = view.getInt16(2 * index, true);
      return elements;
    }
    case 'i32': {
      const elements = makeArray('i32', bytes.length >> 2);
      for (let index = 0; index < elements.length; index += 1) elements[index] = view.getInt32(4 * index, true);
      return elements;
    }
    default:
      return dtype satisfies never;
  }
}

/** Whether the data's class is the one of the dtype and its length the product of the shape. */
export function holdsItsShape({ dtype, shape, data }: Constant): boolean {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  return dtypeOf(data) === dtype && data.length === size;
}
