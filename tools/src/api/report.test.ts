import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { apiReport } from './report.js';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function packageOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  made.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const manifest = JSON.stringify({
  name: 'p',
  exports: {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './more': { types: './dist/more.d.ts', default: './dist/more.js' },
    './~internal': { types: './dist/internal.d.ts', default: './dist/internal.js' },
    './package.json': './package.json',
  },
});

const FILES = {
  'package.json': manifest,
  'dist/chunk.d.ts': `
/** A comment. */
interface Options { /** Inside. */ readonly a?: number; }
declare function run(options: Options): void;
declare function run(options: Options, more: string): void;
declare const LIMIT: 3;
export { type Options as O, run as r, LIMIT as L };
`,
  'dist/index.d.ts': `export { O as Options, r as run, L as LIMIT } from './chunk.js';\n`,
  'dist/more.d.ts': `export type { O as Same } from './chunk.js';\nexport declare class Thing { #private; get size(): number; }\n`,
};

it('lists the exports of every entry point by name, with all that a caller sees', () => {
  expect(apiReport(packageOf(FILES))).toBe(`# .

const LIMIT: 3;

interface Options {
    readonly a?: number;
}

function run(options: Options): void;
function run(options: Options, more: string): void;

# ./more

export { Options as Same }
interface Options {
    readonly a?: number;
}

class Thing {
    #private;
    get size(): number;
}
`);
});

it('is another report when anything that a caller sees changes, and the same when comments do', () => {
  const before = apiReport(packageOf(FILES));
  const chunk = (from: string, to: string): string =>
    apiReport(packageOf({ ...FILES, 'dist/chunk.d.ts': FILES['dist/chunk.d.ts'].replace(from, to) }));
  expect(chunk('A comment.', 'Another.')).toBe(before);
  expect(chunk('a?: number', 'a: number')).not.toBe(before);
  expect(chunk('more: string', 'more: number')).not.toBe(before);
  expect(chunk('LIMIT: 3', 'LIMIT: 4')).not.toBe(before);
});

it('says that a package is not built', () => {
  expect(() => apiReport(packageOf({ 'package.json': manifest }))).toThrow(/index\.d\.ts is not there: build/);
});
