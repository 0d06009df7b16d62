import { IvitError } from 'ivit';

/** What stands in the output for a photo that could not be labeled. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Coded errors in a sentence; others, which are faults of this program, with what they say. */
export function describeError(error: unknown): Failure {
  if (IvitError.isInstance(error)) return { code: error.code, message: error.message };
  return { code: 'E_INTERNAL', message: error instanceof Error ? error.message : String(error) };
}

/** The code of an error of the system, such as ENOENT. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A failed write or rename as E_OUTPUT; coded errors pass unchanged. */
export function outputError(error: unknown, where: string): IvitError {
  if (IvitError.isInstance(error)) return error;
  return new IvitError('E_OUTPUT', `It cannot be written (${systemCode(error) ?? String(error)})`, {
    where,
    hint: 'What was labeled so far is kept: run the same command again when there is room and the right to write.',
    cause: error,
  });
}
