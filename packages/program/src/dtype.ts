import { DTYPES, dtypeOf } from '@ivit/tensor';
import type { DType, IntArray, Interval } from './types.js';

/** 2^31 - 1, the numerator constant `M` of the spec. */
export const INT32_MAX = 2147483647;

/** Closed range of each dtype. */
export const DTYPE_RANGE: Readonly<Record<DType, Interval>> = DTYPES;

/** Whether an array's class is the one of the dtype. */
export function holds(dtype: DType, data: IntArray): boolean {
  return ArrayBuffer.isView(data) && dtypeOf(data) === dtype;
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
