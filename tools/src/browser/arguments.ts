import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SHARED } from '../bench/places.js';

export const PAGES = ['page', 'isolated', 'plain', 'worker-page', 'golden'] as const;
export type PageName = (typeof PAGES)[number];

export const USAGE = `usage: pnpm browser [${PAGES.join('|')}]… [--golden MODEL]…`;

/** Golden models that take seconds: the first two are in the repository. */
const GOLDEN = ['tiny_vit', 'tiny_vit_digits'];
const GOLDEN_SHARED = ['tiny_swin'];

export interface Arguments {
  readonly pages: readonly PageName[];
  /** Golden models by name. */
  readonly golden: readonly string[];
}

/** @throws RangeError; TypeError of `parseArgs` for unknown options */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: argv.filter((argument) => argument !== '--'),
    allowPositionals: true,
    options: { golden: { type: 'string', multiple: true } },
  });
  const wrong = positionals.find((name) => !PAGES.some((page) => page === name));
  if (wrong !== undefined) throw new RangeError(`'${wrong}' is none of ${PAGES.join(', ')}`);
  const shared = existsSync(join(SHARED, 'vectors/ivit')) ? GOLDEN_SHARED : [];
  return {
    pages: positionals.length === 0 ? PAGES : PAGES.filter((page) => positionals.includes(page)),
    golden: values.golden ?? [...GOLDEN, ...shared],
  };
}
