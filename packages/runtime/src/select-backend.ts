import type { Backend, Executable, ProbeResult } from '@ivit/backend';
import { IvitError, throwIfAborted, type ValidatedProgram } from '@ivit/program';
import { runSelfCheck } from './self-check.js';
import type { ModelPhase, SkippedBackend } from './types.js';

export interface SelectedBackend {
  readonly backend: Backend;
  readonly executable: Executable;
  readonly device: string;
  readonly selfCheck: 'passed' | 'absent';
  readonly skipped: readonly SkippedBackend[];
}

export interface SelectOptions {
  readonly maxBatch: number;
  readonly signal?: AbortSignal;
  readonly onPhase?: (phase: ModelPhase, backend?: string) => void;
  /** Of the first backend, where it was asked already. */
  readonly firstProbe?: Promise<ProbeResult> | undefined;
}

/** Asks a backend before it is needed: it gets ready (compiles its kernels) beside what comes first. */
export function probeEarly(
  backend: Backend | undefined,
  signal: AbortSignal | undefined,
): Promise<ProbeResult> | undefined {
  if (backend?.specificationVersion !== 1) return undefined;
  const probing = (async () => backend.probe(signal === undefined ? {} : { signal }))();
  // What a wrong backend throws is for whoever waits for it; that may be nobody.
  probing.catch(() => undefined);
  return probing;
}

function describe(error: unknown): { readonly code: string; readonly reason: string } {
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : 'E_BACKEND';
    return { code, reason: error.message };
  }
  return { code: 'E_BACKEND', reason: String(error) };
}

async function tryBackend(
  backend: Backend,
  program: ValidatedProgram,
  options: SelectOptions,
): Promise<Omit<SelectedBackend, 'skipped'>> {
  const { maxBatch, signal, onPhase, firstProbe } = options;
  const aborting = signal === undefined ? {} : { signal };
  if (backend.specificationVersion !== 1) {
    throw new IvitError('E_BACKEND', `Contract version ${String(backend.specificationVersion)} is not understood`);
  }
  const probe = await (firstProbe ?? backend.probe(aborting));
  if (!probe.available) throw new IvitError(probe.code, probe.reason);
  onPhase?.('compile', backend.name);
  const executable = await backend.compile(program, { maxBatch, ...aborting });
  try {
    onPhase?.('self-check', backend.name);
    const selfCheck = await runSelfCheck(program, executable, signal);
    return { backend, executable, device: probe.device, selfCheck };
  } catch (error) {
    await executable.dispose();
    throw error;
  }
}

/**
 * The first backend that is available, compiles the program and passes the self-check.
 * @throws E_ABORTED; the error of the only backend; E_NO_BACKEND (which says why of each) for none or several
 */
export async function selectBackend(
  backends: readonly Backend[],
  program: ValidatedProgram,
  options: SelectOptions,
): Promise<SelectedBackend> {
  const skipped: SkippedBackend[] = [];
  let last: unknown;
  for (const [index, backend] of backends.entries()) {
    throwIfAborted(options.signal, 'Loading');
    try {
      const own = index === 0 ? options : { ...options, firstProbe: undefined };
      return { ...(await tryBackend(backend, program, own)), skipped };
    } catch (error) {
      throwIfAborted(options.signal, 'Loading');
      last = error;
      skipped.push({ backend: backend.name, ...describe(error) });
    }
  }
  if (skipped.length === 1 && IvitError.isInstance(last)) throw last;
  const reasons = skipped.map(({ backend, code, reason }) => `${backend}: ${code}, ${reason}`).join('; ');
  throw new IvitError('E_NO_BACKEND', `No backend can run this program${reasons === '' ? '' : `: ${reasons}`}`, {
    hint: 'Pass at least one backend that works here, e.g. that of @ivit/backend-reference.',
    cause: last,
  });
}
