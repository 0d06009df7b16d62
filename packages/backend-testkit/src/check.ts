/** Ends a test: every runner shows the message of what a test throws. */
export function fail(message: string): never {
  throw new Error(message);
}

export function check(condition: boolean, message: string): asserts condition {
  if (!condition) fail(message);
}

/** The stable code an error carries; errors are told apart by nothing else. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'no code';
  return typeof error.code === 'string' ? error.code : 'no code';
}

function describeError(error: unknown): string {
  return error instanceof Error ? `'${error.message}'` : String(error);
}

/** What became of a promise: its value, or the code of its error. */
export type Outcome<T> = { readonly value: T } | { readonly code: string; readonly error: unknown };

export async function outcomeOf<T>(task: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await task() };
  } catch (error) {
    return { code: codeOf(error), error };
  }
}

/** Fails unless the task is refused with this code. */
export async function expectCode(code: string, what: string, task: () => Promise<unknown>): Promise<void> {
  const outcome = await outcomeOf(task);
  if ('value' in outcome) fail(`${what}: expected ${code}, got no error`);
  check(outcome.code === code, `${what}: expected ${code}, got ${outcome.code} ${describeError(outcome.error)}`);
}
