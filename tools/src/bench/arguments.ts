import { parseArgs } from 'node:util';
import { IvitError } from '@ivit/program';
import { BACKENDS, type BackendName } from './backend.js';
import { ENVIRONMENTS, RUNNING_NODE } from './environments.js';
import { CACHE } from './places.js';
import { DEIT_SIZES, type DeitSize } from './seeded-deit.js';

export const USAGE = `usage: pnpm bench [--json] [--out FILE] [--quick] [--only ${ENVIRONMENTS.join('|')}] [--threads 1,2] [--batches 1,8] [--sizes tiny,small] [--rounds N] [--model FILE] [--cache DIR] [--backend cpu|reference]`;

export interface BenchArguments {
  readonly json: boolean;
  readonly out: string | undefined;
  readonly quick: boolean;
  readonly environments: readonly string[];
  readonly threads: readonly number[];
  readonly sizes: readonly DeitSize[];
  readonly batches: readonly number[];
  /** Rounds at batch 1; larger batches take half as many. */
  readonly rounds: number;
  readonly model: string | undefined;
  readonly cache: string;
  readonly backend: BackendName;
}

function usage(text: string): IvitError {
  return new IvitError('E_USAGE', `${text}\n${USAGE}`);
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw usage(`--${name}: '${text}' is no positive integer`);
}

function isSize(text: string): text is DeitSize {
  return DEIT_SIZES.some((size) => size === text);
}

/** @throws IvitError E_USAGE; TypeError of `parseArgs` for unknown options */
export function readArguments(argv: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: argv.filter((argument) => argument !== '--'),
    options: {
      json: { type: 'boolean', default: false },
      out: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      threads: { type: 'string' },
      batches: { type: 'string' },
      sizes: { type: 'string' },
      rounds: { type: 'string', default: '8' },
      model: { type: 'string' },
      cache: { type: 'string', default: CACHE },
      backend: { type: 'string', default: 'cpu' },
    },
  });
  const { json, out, quick, only, model, cache } = values;
  const backend = BACKENDS.find((name) => name === values.backend);
  if (backend === undefined) throw usage(`--backend: ${BACKENDS.join(' or ')}`);
  if (only !== undefined && !ENVIRONMENTS.includes(only)) throw usage(`--only: ${ENVIRONMENTS.join(', ')}`);
  const several = quick
    ? { threads: '1', batches: '1', sizes: 'tiny' }
    : { threads: '1,2', batches: '1,8', sizes: 'tiny,small' };
  const list = (name: 'threads' | 'batches'): number[] =>
    (values[name] ?? several[name]).split(',').map((part) => positive(part, name));
  const sizes = (values.sizes ?? several.sizes).split(',');
  if (!sizes.every(isSize)) throw usage(`--sizes: ${DEIT_SIZES.join(', ')}`);
  return {
    json,
    out,
    quick,
    environments: only !== undefined ? [only] : quick ? [RUNNING_NODE] : ENVIRONMENTS,
    threads: list('threads'),
    sizes: sizes.filter(isSize),
    batches: list('batches'),
    rounds: positive(values.rounds, 'rounds'),
    model,
    cache,
    backend,
  };
}
