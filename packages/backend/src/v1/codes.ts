/** Stable codes a backend may throw with, and when. Errors are branded `Symbol.for('ivit.error')`. */
export const BACKEND_CODES: Readonly<Record<BackendCode, string>> = {
  E_UNSUPPORTED_OP: 'the program uses an op version this backend does not declare',
  E_INPUT: 'pixels, batch or output names do not fit the program or the executable',
  E_MEMORY: 'the executable would need more memory than allowed or available',
  E_ABORTED: 'the caller aborted',
  E_DISPOSED: 'the executable was disposed before the call',
  E_DEVICE_LOST: 'the device went away during the call',
  E_DEVICE_ERROR: 'the device or its driver refused a command or a shader',
};

export type BackendCode =
  | 'E_UNSUPPORTED_OP'
  | 'E_INPUT'
  | 'E_MEMORY'
  | 'E_ABORTED'
  | 'E_DISPOSED'
  | 'E_DEVICE_LOST'
  | 'E_DEVICE_ERROR';
