/** Element types this package reads and writes; the format's 8-bit and smaller floats are refused. */
export type SafetensorsDType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U8'
  | 'U16'
  | 'U32'
  | 'U64'
  | 'BOOL';

/** Bytes of one element. */
export const BYTES_PER_ELEMENT: Readonly<Record<SafetensorsDType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  U16: 2,
  U32: 4,
  U64: 8,
  BOOL: 1,
};

export const DTYPE_NAMES = Object.keys(BYTES_PER_ELEMENT).join(', ');

export function isSafetensorsDType(name: string): name is SafetensorsDType {
  return Object.hasOwn(BYTES_PER_ELEMENT, name);
}

/**
 * Bytes of a dense tensor, or undefined where a product on the way passes 2^53 - 1. Dimensions are integers ≥ 0.
 * Products are taken left to right, so a zero behind an overflow does not hide it.
 */
export function tensorByteLength(dtype: SafetensorsDType, shape: readonly number[]): number | undefined {
  let size = BYTES_PER_ELEMENT[dtype];
  for (const dimension of shape) {
    size *= dimension;
    // A rounded product of integers is above the limit exactly when the true one is.
    if (size > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return size;
}
