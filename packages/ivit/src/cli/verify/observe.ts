import type { Executable } from '@ivit/backend';
import { IvitError, littleEndianBytes, sha256Hex, throwIfAborted, type ValidatedProgram } from '@ivit/program';

/** What an executable did with one image. */
export interface Observation {
  /** sha256 of the output of a run. */
  readonly output: string;
  /** sha256 of every value that it materializes, by name: of a trace. */
  readonly trace: ReadonlyMap<string, string>;
}

/** Runs and traces one image. @throws E_BACKEND, E_ABORTED and what the backend throws */
export async function observe(
  program: ValidatedProgram,
  executable: Executable,
  pixels: Uint8Array,
  signal: AbortSignal,
): Promise<Observation> {
  const outputs = await executable.run(pixels, { batch: 1, signal });
  const logits = outputs[program.output]?.data;
  if (!(logits instanceof Int32Array)) {
    throw new IvitError('E_BACKEND', 'The backend returned no int32 logits', { where: executable.info.backend });
  }
  const trace = new Map<string, string>();
  for await (const { value, digest } of executable.trace(pixels)) {
    trace.set(value, digest);
    throwIfAborted(signal);
  }
  return { output: sha256Hex([littleEndianBytes(logits)]), trace };
}

/** The first value, in program order, in which two observations differ. */
export interface Mismatch {
  readonly value: string;
  /** The op that makes it. */
  readonly op: string;
  /** `run`: the traces are equal as far as both go, and yet the output of the run differs. */
  readonly seen: 'trace' | 'run';
  /** sha256, hex. */
  readonly expected: string;
  readonly got: string;
}

export interface Comparison {
  /** Values that both traces have. */
  readonly values: number;
  readonly mismatch: Mismatch | undefined;
}

/** Compares the values that both materialized, then the outputs. */
export function compareObservations(program: ValidatedProgram, expected: Observation, got: Observation): Comparison {
  let values = 0;
  let first: Mismatch | undefined;
  for (const { op, result: value } of program.ops) {
    const [wanted, found] = [expected.trace.get(value), got.trace.get(value)];
    if (wanted === undefined || found === undefined) continue;
    values += 1;
    if (wanted !== found) first ??= { value, op, seen: 'trace', expected: wanted, got: found };
  }
  return { values, mismatch: first ?? outputMismatch(program, expected.output, got.output) };
}

/** Whether one executable's run gave what its trace says. */
export function compareWithOwnTrace(program: ValidatedProgram, { output, trace }: Observation): Mismatch | undefined {
  return outputMismatch(program, trace.get(program.output) ?? output, output);
}

function outputMismatch(program: ValidatedProgram, expected: string, got: string): Mismatch | undefined {
  if (expected === got) return undefined;
  const op = program.ops.find(({ result }) => result === program.output)?.op ?? 'input';
  return { value: program.output, op, seen: 'run', expected, got };
}
