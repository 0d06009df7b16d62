import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { IvitError } from '@ivit/program';
import { BACKENDS, type BackendName } from '../bench/backend.js';
import { CACHE } from '../bench/places.js';

export const USAGE =
  'usage: pnpm verify:full [--model FILE] [--photos N] [--threads 1,2] [--batch 1,3,8] [--processes N] [--prepare] [--cache DIR] [--backend cpu|reference]';

export interface VerifyArguments {
  /** Undefined: DeiT-Tiny, quantized here. */
  readonly model: string | undefined;
  /** Undefined: all. */
  readonly photos: number | undefined;
  readonly threads: readonly number[];
  readonly batches: readonly number[];
  /** Processes that compute the reference's logits. */
  readonly processes: number;
  /** Only compute the reference's logits. */
  readonly prepare: boolean;
  readonly cache: string;
  readonly backend: BackendName;
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new IvitError('E_USAGE', `--${name}: '${text}' is no positive integer\n${USAGE}`);
}

/** @throws IvitError E_USAGE; TypeError of `parseArgs` for unknown options */
export function readArguments(argv: readonly string[]): VerifyArguments {
  const { values } = parseArgs({
    args: argv.filter((argument) => argument !== '--'),
    options: {
      model: { type: 'string' },
      photos: { type: 'string' },
      threads: { type: 'string', default: '1,2' },
      batch: { type: 'string', default: '1,3,8' },
      processes: { type: 'string', default: String(availableParallelism()) },
      prepare: { type: 'boolean', default: false },
      cache: { type: 'string', default: CACHE },
      backend: { type: 'string', default: 'cpu' },
    },
  });
  const list = (text: string, name: string): number[] => text.split(',').map((part) => positive(part, name));
  const backend = BACKENDS.find((name) => name === values.backend);
  if (backend === undefined) throw new IvitError('E_USAGE', `--backend: ${BACKENDS.join(' or ')}\n${USAGE}`);
  return {
    model: values.model,
    photos: values.photos === undefined ? undefined : positive(values.photos, 'photos'),
    threads: list(values.threads, 'threads'),
    batches: list(values.batch, 'batch'),
    processes: positive(values.processes, 'processes'),
    prepare: values.prepare,
    cache: values.cache,
    backend,
  };
}
