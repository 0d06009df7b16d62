import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createReferenceBackend } from '@ivit/backend-reference';
import { writeProgram } from '@ivit/formats/program';
import { readPaperCheckpoint } from '@ivit/models';
import { modelId, throwIfAborted, validate } from '@ivit/program';
import { withSelfCheck } from '@ivit/runtime';
import { readError } from '../node/errors.js';
import { openOutput } from '../node/output-file.js';
import type { Io } from './io.js';
import { createProgressLine } from './progress.js';
import { failUsage, integerOption, parseCommand } from './usage.js';

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw readError(error, path);
  }
}

/** `ivit import CHECKPOINT [--heads N | --config JSON] -o FILE`: the paper's program from a checkpoint of I-ViT's code. */
export async function importCheckpoint(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    output: { type: 'string', short: 'o' },
    heads: { type: 'string' },
    config: { type: 'string' },
    key: { type: 'string' },
  });
  const [source, ...others] = positionals;
  const { output, config, key } = values;
  if (source === undefined || others.length > 0) failUsage('import needs one checkpoint');
  if (output === undefined) failUsage('import needs -o and a file to write');
  if (values.heads !== undefined && config !== undefined) failUsage('--heads and --config cannot be used together');
  const heads = integerOption(values.heads, 'heads', { from: 1, to: 1024 });
  const line = createProgressLine(io, values.quiet ?? false);
  // Opened before the work: an unwritable folder is known now.
  const file = await openOutput(output);
  try {
    line.update('read checkpoint');
    const bytes = await readWhole(source);
    const program = readPaperCheckpoint(bytes, {
      name: basename(source),
      ...(heads === undefined ? {} : { heads }),
      ...(config === undefined ? {} : { config: { name: config, bytes: await readWhole(config) } }),
      ...(key === undefined ? {} : { key }),
    });
    validate(program);
    line.update('self-check');
    const checked = await withSelfCheck(program, createReferenceBackend(), { signal: io.signal });
    throwIfAborted(io.signal, 'Importing');
    const written = writeProgram(checked);
    await file.commit(written);
    line.clear();
    const id = modelId(checked);
    const architecture = checked.provenance?.architecture ?? 'unknown';
    if (values.json) io.out(`${JSON.stringify({ file: output, bytes: written.length, model: id, architecture })}\n`);
    else io.out(`${output}: ${written.length} bytes, model ${id}, ${architecture} of I-ViT\n`);
    return 0;
  } finally {
    line.clear();
    await file.discard();
  }
}
