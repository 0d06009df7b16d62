import { IvitError } from '../error.js';

/**
 * @param what was going on, at the start of a sentence: `The run`
 * @throws E_ABORTED if the signal is aborted, with its reason as the cause
 */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new IvitError('E_ABORTED', `${what} was aborted`, { cause: signal.reason });
}
