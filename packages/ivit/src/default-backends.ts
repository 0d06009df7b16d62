import type { Backend } from '@ivit/backend';

/** The backends of this package in order of preference, loaded when first needed. */
export async function defaultBackends(): Promise<readonly Backend[]> {
  const { createReferenceBackend } = await import('@ivit/backend-reference');
  return [createReferenceBackend()];
}
