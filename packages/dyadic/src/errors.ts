/** A `RangeError` with a stable `code`: what this package throws. */
export interface DyadicError extends RangeError {
  readonly code: 'E_DYADIC';
}

/** @returns the error to throw; nothing is thrown here. */
export function dyadicError(what: string): DyadicError {
  return Object.assign(new RangeError(what), { code: 'E_DYADIC' as const });
}
