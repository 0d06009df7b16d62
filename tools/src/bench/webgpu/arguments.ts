import { parseArgs } from 'node:util';
import { IvitError } from '@ivit/program';
import { CACHE } from '../places.js';

export const WEBGPU_USAGE =
  'usage: pnpm bench --webgpu [--json] [--out FILE] [--adapter software|hardware] [--batches 1,16] [--rounds N] [--calls N] [--micro-runs N] [--model FILE] [--cache DIR]';

export interface WebgpuArguments {
  readonly json: boolean;
  readonly out: string | undefined;
  readonly adapter: 'software' | 'hardware';
  readonly batches: readonly number[];
  readonly rounds: number;
  readonly calls: number;
  readonly microRuns: number;
  readonly model: string | undefined;
  readonly cache: string;
}

function usage(text: string): IvitError {
  return new IvitError('E_USAGE', `${text}\n${WEBGPU_USAGE}`);
}

function whole(text: string, name: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw usage(`--${name}: '${text}' is no integer from ${least}`);
}

/** @throws IvitError E_USAGE; TypeError of `parseArgs` for unknown options */
export function readWebgpuArguments(argv: readonly string[]): WebgpuArguments {
  const { values } = parseArgs({
    args: argv.filter((argument) => argument !== '--'),
    options: {
      webgpu: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
      out: { type: 'string' },
      adapter: { type: 'string', default: 'hardware' },
      batches: { type: 'string', default: '1,16' },
      rounds: { type: 'string', default: '8' },
      calls: { type: 'string', default: '5' },
      'micro-runs': { type: 'string', default: '7' },
      model: { type: 'string' },
      cache: { type: 'string', default: CACHE },
    },
  });
  const { json, out, adapter, model, cache } = values;
  if (adapter !== 'software' && adapter !== 'hardware') throw usage('--adapter: software or hardware');
  return {
    json,
    out,
    adapter,
    batches: values.batches.split(',').map((part) => whole(part, 'batches', 1)),
    rounds: whole(values.rounds, 'rounds', 1),
    calls: whole(values.calls, 'calls', 1),
    microRuns: whole(values['micro-runs'], 'micro-runs', 0),
    model,
    cache,
  };
}
