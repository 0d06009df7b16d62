import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { IvitError } from '@ivit/program';
import { CACHE } from '../bench/places.js';
import { EVERY_BACKEND, type EveryBackend } from '../webgpu/every-backend.js';

export const USAGE =
  'usage: pnpm verify:full [--model FILE] [--photos N] [--threads 1,2] [--batch 1,3,8] [--processes N] [--prepare] [--cache DIR] [--backend cpu|reference|webgpu|webgpu-plain] [--webgpu]';

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
  readonly backend: EveryBackend;
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
      threads: { type: 'string' },
      batch: { type: 'string' },
      processes: { type: 'string', default: String(availableParallelism()) },
      prepare: { type: 'boolean', default: false },
      cache: { type: 'string', default: CACHE },
      backend: { type: 'string' },
      webgpu: { type: 'boolean', default: false },
    },
  });
  const list = (text: string, name: string): number[] => text.split(',').map((part) => positive(part, name));
  const wanted = values.backend ?? (values.webgpu ? 'webgpu' : 'cpu');
  const backend = EVERY_BACKEND.find((name) => name === wanted);
  if (backend === undefined) throw new IvitError('E_USAGE', `--backend: ${EVERY_BACKEND.join(' or ')}\n${USAGE}`);
  return {
    model: values.model,
    // On software adapters a photo takes seconds.
    photos: values.photos === undefined ? (values.webgpu ? 20 : undefined) : positive(values.photos, 'photos'),
    threads: list(values.threads ?? (values.webgpu ? '1' : '1,2'), 'threads'),
    batches: list(values.batch ?? (values.webgpu ? '1,4' : '1,3,8'), 'batch'),
    processes: positive(values.processes, 'processes'),
    prepare: values.prepare,
    cache: values.cache,
    backend,
  };
}
