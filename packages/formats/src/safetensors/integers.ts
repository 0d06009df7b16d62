import { IvitError } from '@ivit/program';
import { quoteName } from '../json/cursor.js';
import type { TensorEntry, TensorSource } from './types.js';

/** 64-bit tensors come as a Float64Array of integers in ±(2^53 - 1), each exact. */
export type IntegerArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float64Array;

/**
 * The elements of an integer tensor, row-major, in fresh memory: I8, U8, I16, U16, I32, U32 as the array of that type,
 * BOOL as a Uint8Array of 0 and 1, I64 and U64 as a Float64Array of exact integers.
 *
 * @throws IvitError E_TENSOR_DTYPE for a float tensor, E_INTEGER_RANGE for a 64-bit element beyond ±(2^53 - 1) or a
 * BOOL that is neither 0 nor 1.
 */
export function toIntegers(entry: TensorSource): IntegerArray {
  const { bytes, dtype } = entry;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case 'U8':
      return new Uint8Array(bytes);
    case 'BOOL': {
      const wrong = bytes.findIndex((byte) => byte > 1);
      if (wrong >= 0) refuse('E_INTEGER_RANGE', `a BOOL element is ${bytes[wrong]}`, entry, wrong);
      return new Uint8Array(bytes);
    }
    case 'I8':
      return new Int8Array(new Uint8Array(bytes).buffer);
    case 'I16': {
      const values = new Int16Array(bytes.length >> 1);
      for (let index = 0; index < values.length; index += 1) values[index] = view.getInt16(2 * index, true);
      return values;
    }
    case 'U16': {
      const values = new Uint16Array(bytes.length >> 1);
      for (let index = 0; index < values.length; index += 1) values[index] = view.getUint16(2 * index, true);
      return values;
    }
    case 'I32': {
      const values = new Int32Array(bytes.length >> 2);
      for (let index = 0; index < values.length; index += 1) values[index] = view.getInt32(4 * index, true);
      return values;
    }
    case 'U32': {
      const values = new Uint32Array(bytes.length >> 2);
      for (let index = 0; index < values.length; index += 1) values[index] = view.getUint32(4 * index, true);
      return values;
    }
    case 'I64':
    case 'U64': {
      const values = new Float64Array(bytes.length >> 3);
      for (let index = 0; index < values.length; index += 1) {
        const high = dtype === 'I64' ? view.getInt32(8 * index + 4, true) : view.getUint32(8 * index + 4, true);
        // Exact when the sum is within ±2^53; the words of a number beyond it never add up to one within.
        const value = high * 2 ** 32 + view.getUint32(8 * index, true);
        if (!Number.isSafeInteger(value)) {
          refuse('E_INTEGER_RANGE', `a ${dtype} element is beyond ±(2^53 - 1)`, entry, index);
        }
        values[index] = value;
      }
      return values;
    }
    case 'F64':
    case 'F32':
    case 'F16':
    case 'BF16':
      return refuse('E_TENSOR_DTYPE', `the tensor is ${dtype}, wanted an integer dtype`, entry, undefined);
    default:
      return dtype satisfies never;
  }
}

function refuse(code: string, message: string, entry: TensorSource | TensorEntry, index: number | undefined): never {
  const element = index === undefined ? '' : `, element ${index}`;
  const byte = 'offset' in entry ? `, byte ${entry.offset}` : '';
  throw new IvitError(code, message, {
    where: `tensor ${quoteName(entry.name)}${element}${byte}`,
    hint: 'Export the checkpoint with this tensor in a dtype and range that fit.',
  });
}
