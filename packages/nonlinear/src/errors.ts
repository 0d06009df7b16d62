/** A `RangeError` with a stable `code`: what this package throws. */
export interface NonlinearError extends RangeError {
  readonly code: 'E_NONLINEAR';
}

/** @returns the error to throw; nothing is thrown here. */
export function nonlinearError(what: string): NonlinearError {
  return Object.assign(new RangeError(what), { code: 'E_NONLINEAR' as const });
}
