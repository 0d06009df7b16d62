import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { IvitError } from 'ivit';

export const USAGE = `Labels the photos (PNG, JPEG) below a folder, in the order of their names.

Usage: label-folder FOLDER -o FILE.csv|FILE.jsonl [options]

  -o, --output FILE  rows: CSV, or JSON lines if its name ends in .jsonl or .ndjson
  --model MODEL      builtin (default), a program file, a folder with one, or hf:owner/name
  --top-k N          answers per photo (1)
  --workers N        processes (as many as there are cores)
  --threads N        threads of each process (1)
  --max-pixels N     largest photo to decode
  --overwrite        begin anew, where FILE exists; else rows that still hold are kept
  --quiet            no progress on stderr

Exit status: 0 done, 1 an error (of one photo too), 2 wrong usage, 130 interrupted.
`;

export interface Arguments {
  readonly folder: string;
  readonly output: string;
  readonly jsonLines: boolean;
  readonly model: string;
  readonly topK: number;
  readonly workers: number;
  readonly threads: number;
  readonly maxPixels: number | undefined;
  readonly overwrite: boolean;
  readonly quiet: boolean;
}

function failUsage(message: string): never {
  throw new IvitError('E_USAGE', message, { hint: '--help lists the options.' });
}

function integer(text: string | undefined, name: string, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value < 1 || value > most) {
    failUsage(`--${name} must be an integer from 1 to ${most}, not "${text}"`);
  }
  return value;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      // pnpm hands a `--` on.
      args: args[0] === '--' ? args.slice(1) : [...args],
      allowPositionals: true,
      options: {
        output: { type: 'string', short: 'o' },
        model: { type: 'string' },
        'top-k': { type: 'string' },
        workers: { type: 'string' },
        threads: { type: 'string' },
        'max-pixels': { type: 'string' },
        overwrite: { type: 'boolean' },
        quiet: { type: 'boolean' },
      },
    });
  } catch (error) {
    return failUsage(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param from folder that relative paths begin at: where the user stands, also if a package manager changed the folder
 * @throws E_USAGE
 */
export function readArguments(args: readonly string[], from: string): Arguments {
  const { values, positionals } = parse(args);
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0) failUsage('Name one folder of photos');
  if (values.output === undefined) failUsage('Name a file to write with -o');
  const jsonLines = /\.(jsonl|ndjson)$/i.test(values.output);
  if (!jsonLines && !/\.csv$/i.test(values.output)) failUsage(`"${values.output}" ends neither in .csv nor in .jsonl`);
  const model = values.model ?? 'builtin';
  const modelPath = resolve(from, model);
  return {
    folder: resolve(from, folder),
    output: resolve(from, values.output),
    jsonLines,
    model: model !== 'builtin' && existsSync(modelPath) ? modelPath : model,
    topK: integer(values['top-k'], 'top-k', 100) ?? 1,
    workers: integer(values.workers, 'workers', 256) ?? availableParallelism(),
    threads: integer(values.threads, 'threads', 64) ?? 1,
    maxPixels: integer(values['max-pixels'], 'max-pixels', 1_000_000_000),
    overwrite: values.overwrite ?? false,
    quiet: values.quiet ?? false,
  };
}
