import type { Backend } from '@ivit/backend';

export const BACKENDS = ['cpu', 'reference'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** Our backend of that name; each is loaded only when asked for. The reference backend has one thread whatever is asked. */
export async function createBackend(name: BackendName, threads: number): Promise<Backend> {
  if (name === 'cpu') return (await import('@ivit/backend-cpu')).createCpuBackend({ threads });
  return (await import('@ivit/backend-reference')).createReferenceBackend();
}
