import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { errorCodes } from './error-codes.js';
import { packageFolders } from './graph.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** It names codes that others must throw. */
const packages = packageFolders(root).filter((name) => name !== 'backend-testkit');
const made = errorCodes(root, packages);

function codesIn(text: string): string[] {
  return [...text.matchAll(/`(E_[A-Z0-9_]+)`/g)].map(([, code = '']) => code);
}

/** Codes of the first column of every table, with what the second says of who makes them. */
function listed(): { code: string; makers: string }[] {
  const rows = readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^\|(.*`E_.*?)\|(.*?)\|/gm);
  return [...rows].flatMap(([, codes = '', makers = '']) => codesIn(codes).map((code) => ({ code, makers })));
}

describe('docs/errors.md', () => {
  it('lists every code of the packages once, and no other', () => {
    expect(made.size).toBeGreaterThan(100);
    expect(
      listed()
        .map(({ code }) => code)
        .sort(),
    ).toEqual([...made.keys()]);
  });

  it('says who makes it', () => {
    const said = listed().map(({ code, makers }) => [code, makers.trim()]);
    const found = listed().map(({ code }) => [code, made.get(code)?.join(', ')]);
    expect(said).toEqual(found);
  });
});

describe.each(packages)('the README of %s', (name) => {
  const readme = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8');

  it('names every code that the package makes', () => {
    const missing = [...made].filter(([code, makers]) => makers.includes(name) && !codesIn(readme).includes(code));
    expect(missing.map(([code]) => code)).toEqual([]);
  });

  it('names no code that nobody makes', () => {
    expect(codesIn(readme).filter((code) => !made.has(code))).toEqual([]);
  });
});

it('sees codes that a file makes, not those that it compares with or has as a type', () => {
  expect(made.get('E_NO_SIMD')).toEqual(['backend-cpu']);
  // `ivit` compares with it; the contract has it in a type and a table.
  expect(made.get('E_PROGRAM_FILE')).toEqual(['formats']);
  expect(made.get('E_DEVICE_LOST')).toEqual(['backend-cpu', 'backend-webgpu']);
});
