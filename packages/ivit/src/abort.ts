import { IvitError } from '@ivit/program';

/** The error of an abort. */
export function abortError(signal: AbortSignal | undefined, where?: string): IvitError {
  return new IvitError('E_ABORTED', 'Aborted by the caller', {
    cause: signal?.reason,
    ...(where === undefined ? {} : { where }),
  });
}

/** @throws E_ABORTED if the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined, where?: string): void {
  if (signal?.aborted) throw abortError(signal, where);
}

/** Waits, unless aborted. @throws E_ABORTED */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(abortError(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
