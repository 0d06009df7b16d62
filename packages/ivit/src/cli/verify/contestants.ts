import type { Backend, Executable } from '@ivit/backend';
import { IvitError, throwIfAborted, type ValidatedProgram } from '@ivit/program';
import { describeError } from '../describe-error.js';

/** A backend with the program compiled on it. */
export interface Contestant {
  readonly backend: Backend;
  readonly executable: Executable;
}

/**
 * What became of a backend. `unavailable`: it cannot run here, or lacks an op of the program. `failed`: it says that it can, and
 * does not.
 */
export type Standing =
  | {
      readonly name: string;
      readonly version: string;
      readonly status: 'ran';
      readonly device: string;
      readonly variant: string;
      readonly threads: number;
    }
  | {
      readonly name: string;
      readonly version: string;
      readonly status: 'unavailable' | 'failed';
      readonly code: string;
      readonly reason: string;
    };

export interface Contest {
  readonly standings: readonly Standing[];
  readonly contestants: readonly Contestant[];
}

async function enter(
  backend: Backend,
  program: ValidatedProgram,
  signal: AbortSignal,
): Promise<{ readonly standing: Standing; readonly contestant?: Contestant }> {
  const { name, version } = backend;
  const probe = await backend.probe({ signal });
  if (!probe.available) {
    return { standing: { name, version, status: 'unavailable', code: probe.code, reason: probe.reason } };
  }
  try {
    const executable = await backend.compile(program, { maxBatch: 1, signal });
    const { variant, threads } = executable.info;
    const standing = { name, version, status: 'ran', device: probe.device, variant, threads } as const;
    return { standing, contestant: { backend, executable } };
  } catch (error) {
    throwIfAborted(signal);
    const { code, message } = describeError(error);
    const lacksOp = IvitError.isInstance(error) && code === 'E_UNSUPPORTED_OP';
    return { standing: { name, version, status: lacksOp ? 'unavailable' : 'failed', code, reason: message } };
  }
}

/** Compiles the program, as it is run for its output alone, on every backend that can. Its self-check is not asked. */
export async function openContest(
  backends: readonly Backend[],
  program: ValidatedProgram,
  signal: AbortSignal,
  onBackend: (name: string) => void,
): Promise<Contest> {
  const standings: Standing[] = [];
  const contestants: Contestant[] = [];
  try {
    for (const backend of backends) {
      throwIfAborted(signal);
      onBackend(backend.name);
      const { standing, contestant } = await enter(backend, program, signal);
      standings.push(standing);
      if (contestant !== undefined) contestants.push(contestant);
    }
  } catch (error) {
    await closeContest({ standings, contestants });
    throw error;
  }
  return { standings, contestants };
}

export async function closeContest({ contestants }: Contest): Promise<void> {
  await Promise.allSettled(contestants.map(({ executable }) => executable.dispose()));
}

/** Whom the others are compared with: the slow truth if it runs, else the first. */
export function baseOf(contestants: readonly Contestant[]): Contestant | undefined {
  return contestants.find(({ backend }) => backend.name === 'reference') ?? contestants[0];
}
