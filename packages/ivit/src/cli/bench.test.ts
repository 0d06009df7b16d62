import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelId } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { temporaryFolders } from '../../test/folder.js';
import { runCli } from '../../test/run-cli.js';
import { tinyModel } from '../../test/tiny-model.js';
import { loadModel } from '../index.js';

const folder = temporaryFolders();
const CAT = fileURLToPath(new URL('../../photos/cat.jpg', import.meta.url));

describe('ivit bench', () => {
  it('times every backend and number of threads, and compares their receipts', async () => {
    const { program, bytes } = await tinyModel();
    const path = join(await folder(), 'tiny.safetensors');
    await writeFile(path, bytes);
    const args = ['bench', path, CAT, '--rounds', '2', '--batch', '2', '--threads', '1,2'];
    const { status, stdout, stderr } = await runCli([...args, '--json', '--quiet']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const measured = JSON.parse(stdout);
    const model = await loadModel(bytes);
    const [result] = await model.run([CAT]);
    await model.dispose();
    expect(measured).toMatchObject({
      model: modelId(program),
      batch: 2,
      rounds: 2,
      receiptsEqual: true,
      receipts: [result?.receipt],
      results: [
        { backend: 'cpu', threads: 1 },
        { backend: 'reference', threads: 1 },
        { backend: 'cpu', threads: 2 },
      ],
    });
    for (const { milliseconds } of measured.results) {
      expect(Object.keys(milliseconds)).toEqual(['load', 'first', 'label', 'run']);
      for (const { min, median } of Object.values<{ min: number; median: number }>(milliseconds)) {
        expect(min).toBeGreaterThan(0);
        expect(median).toBeGreaterThanOrEqual(min);
      }
    }
  });

  it('prints a table', async () => {
    const { status, stdout } = await runCli(['bench', '--backend', 'reference', '--rounds', '1', '--quiet']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ms, min \/ median +load +first +label +run\nreference, 1 thread +[\d.]+ \/ [\d.]+ /);
    expect(stdout).toMatch(/\nmodel {7}[0-9a-f]{64}\nbatch {7}1, rounds 1, interleaved\nreceipts {4}equal\n$/);
  });
});
