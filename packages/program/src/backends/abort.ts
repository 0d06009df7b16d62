import { IvitError } from '../error.js';

/**
 * The error of an abort: `E_ABORTED` with the signal's reason as the cause, in the same words everywhere.
 *
 * @param what was going on, at the start of a sentence
 * @param where the file, URL or option that it was about
 */
export function abortError(signal: AbortSignal | undefined, what = 'The call', where?: string): IvitError {
  return new IvitError('E_ABORTED', `${what} was aborted`, {
    cause: signal?.reason,
    ...(where === undefined ? {} : { where }),
  });
}

/**
 * @param what as for `abortError`
 * @param where as for `abortError`
 * @throws E_ABORTED if the signal is aborted, with its reason as the cause
 */
export function throwIfAborted(signal: AbortSignal | undefined, what?: string, where?: string): void {
  if (signal?.aborted) throw abortError(signal, what, where);
}
