import { IvitError } from '../error.js';

/**
 * Refuses an executable that is larger than the caller allows.
 *
 * @param bytes what the executable would hold
 * @param limit the caller's `memoryLimit`, in bytes
 * @throws E_MEMORY
 */
export function assertMemory(bytes: number, limit: number | undefined): void {
  if (limit === undefined || bytes <= limit) return;
  throw new IvitError('E_MEMORY', `The executable needs ${bytes} bytes, more than ${limit}`, {
    where: 'memoryLimit',
    hint: 'Raise the limit or use a smaller model.',
  });
}
