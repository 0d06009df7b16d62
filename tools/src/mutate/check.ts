import type { TensorEntry } from '@ivit/formats/safetensors';
import { readTorch } from '@ivit/formats/torch';
import { IvitError } from '@ivit/program';
import { caseRandom, type Mutation, mutate } from './mutations.js';
import type { Sample } from './samples.js';

/** Slowest case allowed, milliseconds: 100 times a usual one. */
export const LIMIT_MS = 3000;

const WIDTH: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

export interface CaseResult {
  readonly kind: string;
  /** Code of the refusal, or `read`. */
  readonly outcome: string;
  readonly milliseconds: number;
  /** What is wrong with the reader; undefined where it did as it must. */
  readonly fault: string | undefined;
}

type Tensors = ReadonlyMap<string, TensorEntry>;

/** Where no checksum was refitted, everything read must be what the sample holds. */
function findChange(found: Tensors, original: Tensors): string | undefined {
  if (found.size !== original.size) return `${found.size} tensors instead of ${original.size}`;
  for (const [name, entry] of original) {
    const other = found.get(name);
    if (other === undefined) return `${name} is gone`;
    const same = other.dtype === entry.dtype && other.shape.join() === entry.shape.join();
    if (!same || Buffer.compare(other.bytes, entry.bytes) !== 0) return `${name} has changed`;
  }
  return undefined;
}

function findNonsense(found: Tensors): string | undefined {
  for (const { name, dtype, shape, bytes } of found.values()) {
    const size = shape.reduce((product, n) => product * n, WIDTH[dtype] ?? Number.NaN);
    if (bytes.length !== size) return `${name} ${dtype} [${shape.join()}] has ${bytes.length} bytes`;
  }
  return undefined;
}

function judge({ file, refitted }: Mutation, original: Tensors): { outcome: string; fault: string | undefined } {
  try {
    const { tensors } = readTorch(file);
    return { outcome: 'read', fault: refitted ? findNonsense(tensors) : findChange(tensors, original) };
  } catch (error) {
    const coded = IvitError.isInstance(error) && /^E_(ZIP|PICKLE|TORCH)_/.test(error.code);
    if (coded) return { outcome: error.code, fault: undefined };
    return { outcome: 'crash', fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Samples with what they hold unharmed. */
export interface Prepared {
  readonly sample: Sample;
  readonly tensors: Tensors;
}

export function prepare(samples: readonly Sample[]): readonly Prepared[] {
  return samples.map((sample) => ({ sample, tensors: readTorch(sample.file, { where: sample.name }).tensors }));
}

/** Runs one case; the same seed and index give the same case. */
export function runCase(prepared: readonly Prepared[], seed: number, index: number): CaseResult & { sample: string } {
  const { sample, tensors } = prepared[index % prepared.length] as Prepared;
  const mutation = mutate(sample, caseRandom(seed, index));
  const started = performance.now();
  const { outcome, fault } = judge(mutation, tensors);
  const milliseconds = performance.now() - started;
  const slow = milliseconds > LIMIT_MS ? `took ${Math.round(milliseconds)} ms` : undefined;
  return { sample: sample.name, kind: mutation.kind, outcome, milliseconds, fault: fault ?? slow };
}
