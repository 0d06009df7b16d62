import { IvitError } from '@ivit/program';

function aborted(signal: AbortSignal, what: string): IvitError {
  return new IvitError('E_ABORTED', `${what} was aborted`, { cause: signal.reason });
}

/** The task's outcome, or E_ABORTED as soon as the signal says so. */
export async function untilAborted<T>(task: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (signal === undefined) return task;
  let stop: () => void = () => undefined;
  const abort = new Promise<never>((_, reject) => {
    stop = () => reject(aborted(signal, what));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([task, abort]);
  } finally {
    signal.removeEventListener('abort', stop);
    task.catch(() => undefined);
  }
}
