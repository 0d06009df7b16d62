import { IvitError } from '@ivit/program';

/** @throws E_ABORTED if the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined, where?: string): void {
  if (signal?.aborted) {
    throw new IvitError('E_ABORTED', 'Aborted by the caller', {
      cause: signal.reason,
      ...(where === undefined ? {} : { where }),
    });
  }
}
