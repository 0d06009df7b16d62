import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleCommand } from '../../bundle-command.mjs';

const project = fileURLToPath(new URL('../../../', import.meta.url));
const bundle = await bundleCommand(join(project, 'tools/src/vectors.ts'));
afterAll(() => rmSync(bundle.folder, { recursive: true, force: true }));
let work = '';

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'ivit-vectors-'));
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

function vectors(...args: string[]): { status: number | null; lines: string[] } {
  const { status, stdout } = spawnSync(process.execPath, [bundle.file, ...args], { cwd: project, encoding: 'utf8' });
  return { status, lines: stdout.trim().split('\n') };
}

/** A copy of one folder of the committed vectors with one byte of one file changed. */
function damaged(source: string, file: string, offset: (size: number) => number): string {
  const folder = mkdtempSync(join(work, 'damaged-'));
  cpSync(join(project, 'vectors/ivit', source), folder, { recursive: true });
  const bytes = readFileSync(join(folder, file));
  const at = offset(bytes.length);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(join(folder, file), bytes);
  return folder;
}

describe('pnpm vectors', () => {
  test('reproduces the committed vectors', () => {
    const { status, lines } = vectors('vectors/ivit');
    expect(lines.at(-1)).toMatch(/^\d{3,} checked, 0 different$/);
    expect(lines.map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining(['ops', 'tiny_vit', 'tiny_vit_digits']),
    );
    expect(status).toBe(0);
  });

  test('sees one changed bit of an op result, of a model and of a trace', () => {
    const files: readonly [string, string, (size: number) => number][] = [
      // Tensors of int8 come last in these files.
      ['ops', 'softmax8.safetensors', (size) => size - 1],
      ['tiny_vit', 'compiled.safetensors', (size) => size - 2000],
      ['tiny_vit', 'trace_hashes.json', (size) => Math.floor(size / 2)],
    ];
    for (const [source, file, offset] of files) {
      const { status, lines } = vectors(damaged(source, file, offset));
      expect(lines.at(-1)).toMatch(/^\d+ checked, [1-9]\d* different$/);
      expect(status).toBe(1);
    }
  });

  test('runs the models on the CPU backend, with threads, and sees one changed bit there', () => {
    const { status, lines } = vectors('vectors/ivit', '--backend', 'cpu', '--threads', '2');
    expect(lines.at(-1)).toMatch(/^\d{3,} checked, 0 different$/);
    expect(lines).toContain('ops: left to the reference backend');
    expect(status).toBe(0);
    const folder = damaged('tiny_vit', 'compiled.safetensors', (size) => size - 2000);
    const broken = vectors(folder, '--backend', 'cpu');
    expect(broken.lines.at(-1)).toMatch(/^\d+ checked, [1-9]\d* different$/);
    expect(broken.status).toBe(1);
    expect(vectors('vectors/ivit', '--backend', 'gpu').status).toBe(2);
    expect(vectors('vectors/ivit', '--backend', 'cpu', '--threads', '0').status).toBe(2);
  });

  test('names what it does not cover, and fails where nothing was checked', () => {
    const folder = mkdtempSync(join(work, 'mixer-'));
    writeFileSync(join(folder, 'config.json'), '{"kind": "mixer", "config": {}}');
    expect(vectors(folder)).toEqual({
      status: 1,
      lines: [expect.stringContaining("NOT COVERED, no builder for kind 'mixer'"), '0 checked, 0 different'],
    });
    expect(vectors(join(work, 'missing')).status).toBe(1);
    expect(vectors().status).toBe(2);
  });
});
