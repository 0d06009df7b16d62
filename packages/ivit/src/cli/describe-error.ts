import { IvitError } from '@ivit/program';

export interface ErrorText {
  readonly code: string;
  readonly message: string;
}

/** Coded errors in a sentence; others, which are faults of this program, with their stack. */
export function describeError(error: unknown): ErrorText {
  if (IvitError.isInstance(error)) return { code: error.code, message: error.message };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'E_INTERNAL', message: `This is a fault of ivit, please report it.\n${stack}` };
}
