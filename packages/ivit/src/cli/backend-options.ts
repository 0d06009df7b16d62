import type { Backend } from '@ivit/backend';
import { defaultBackends } from '../default-backends.js';
import { failUsage, integerOption } from './usage.js';

/** Options of the commands that run programs, for `parseCommand`. */
export const BACKEND_OPTIONS = { backend: { type: 'string' }, threads: { type: 'string' } } as const;

export interface BackendValues {
  readonly backend?: string | undefined;
  readonly threads?: string | undefined;
}

/** What the cpu backend takes. */
export const MAX_THREADS = 64;

/** Those of the default backends that `--backend` names, or all. @throws E_USAGE if it names none */
export function namedBackends(backends: readonly Backend[], name: string | undefined): readonly Backend[] {
  const chosen = backends.filter((backend) => name === undefined || backend.name === name);
  if (chosen.length === 0) {
    const names = backends.map((backend) => backend.name);
    failUsage(`There is no backend "${name}"; there are ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`);
  }
  return chosen;
}

/** `--threads`. @throws E_USAGE */
export function threadsOf({ threads }: BackendValues): { readonly threads?: number } {
  const count = integerOption(threads, 'threads', { from: 1, to: MAX_THREADS });
  return count === undefined ? {} : { threads: count };
}

/** The backends that `--backend` and `--threads` leave, in order of preference. @throws E_USAGE */
export async function backendsOf(values: BackendValues): Promise<readonly Backend[]> {
  return namedBackends(await defaultBackends(threadsOf(values)), values.backend);
}

/** The first that says it can run here; the last where none does, so that it says why. */
export async function firstAvailable(backends: readonly Backend[]): Promise<Backend> {
  let last: Backend | undefined;
  for (const backend of backends) {
    last = backend;
    if ((await backend.probe()).available) break;
  }
  if (last === undefined) throw new RangeError('an empty list of backends');
  return last;
}
