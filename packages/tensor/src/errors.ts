/** A `RangeError` with a stable `code`: what this package throws. */
export interface TensorError extends RangeError {
  readonly code: TensorErrorCode;
}

/** `E_SHAPE`: rank or size; `E_VIEW`: an index outside; `E_GEMM`: operand sizes or ranges of a product. */
export type TensorErrorCode = 'E_SHAPE' | 'E_VIEW' | 'E_GEMM';

/** @returns the error to throw; nothing is thrown here. */
export function tensorError(code: TensorErrorCode, what: string): TensorError {
  return Object.assign(new RangeError(what), { code });
}
