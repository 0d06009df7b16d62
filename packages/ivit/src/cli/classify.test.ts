import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolders } from '../../test/folder.js';
import { CAT, COFFEE } from '../../test/photos.js';
import { runCli } from '../../test/run-cli.js';
import { writeTinyModel } from '../../test/tiny-model.js';
import { loadModel } from '../index.js';

const folder = temporaryFolders();

describe('ivit classify', () => {
  it('labels photos on stdout, progress on stderr, and equals the library', async () => {
    const file = await writeTinyModel(await folder());
    const model = await loadModel(file, { threads: 1 });
    const results = await model.run([CAT, COFFEE]);
    const answers = await model.classify([CAT, COFFEE], { topK: 2 });

    const text = await runCli(['classify', file, CAT, COFFEE, '--top-k', '2', '--receipt']);
    expect(text.status).toBe(0);
    expect(text.stderr).toContain('self-check');
    const lines = [CAT, COFFEE].flatMap((path, index) => {
      const list = answers[index]?.map(({ label, score }) => `${label} ${score.toFixed(4)}`).join(', ');
      return [`${path}: ${list}`, `  receipt ${JSON.stringify(results[index]?.receipt)}`];
    });
    expect(text.stdout).toBe(`${lines.join('\n')}\n`);

    const json = await runCli(['classify', '--model', file, CAT, COFFEE, '--top-k', '2', '--json', '--quiet']);
    expect(json).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toEqual({
      ...model.info,
      results: [CAT, COFFEE].map((path, index) => ({
        file: path,
        answers: answers[index],
        receipt: results[index]?.receipt,
      })),
    });
    await model.dispose();
  });

  it('runs the backend that is asked for, to the same answers and receipts', async () => {
    const file = await writeTinyModel(await folder());
    const args = ['classify', file, CAT, COFFEE, '--json', '--quiet'];
    const [cpu, threads, reference] = (
      await Promise.all([
        runCli(args),
        runCli([...args, '--backend', 'cpu', '--threads', '2']),
        runCli([...args, '--backend', 'reference']),
      ])
    ).map(({ stdout }) => JSON.parse(stdout));
    expect(cpu.backend).toMatchObject({ name: 'cpu', threads: 1 });
    expect(threads.backend).toMatchObject({ name: 'cpu', threads: 2 });
    expect(reference.backend).toMatchObject({ name: 'reference' });
    expect(cpu.results).toEqual(reference.results);
    expect(threads.results).toEqual(reference.results);
  });

  it('reports a corrupt photo by name, labels the others, and exits with 1', async () => {
    const at = await folder();
    const file = await writeTinyModel(at);
    const broken = join(at, 'broken.jpg');
    await writeFile(broken, (await readFile(CAT)).subarray(0, 9000));
    const missing = join(at, 'missing.png');
    const result = await runCli(['classify', file, COFFEE, broken, missing, CAT, '--json', '--quiet']);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(
      /^ivit: E_IMAGE_CORRUPT: .*\/broken\.jpg.*\nivit: E_READ: There is no such file or folder \(.*\/missing\.png\)/,
    );
    const { results } = JSON.parse(result.stdout);
    expect(results.map(({ file: name }: { file: string }) => name)).toEqual([COFFEE, broken, missing, CAT]);
    expect(results.map((entry: object) => 'error' in entry)).toEqual([false, true, true, false]);
    const alone = await runCli(['classify', file, CAT, '--json', '--quiet']);
    expect(JSON.parse(alone.stdout).results[0]).toEqual(results[3]);
  });

  it('refuses photos above the size it is given', async () => {
    const at = await folder();
    const result = await runCli(['classify', await writeTinyModel(at), CAT, '--max-pixels', '1000', '--quiet']);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/^ivit: E_IMAGE_TOO_LARGE: .*more than 1000 .*cat\.jpg/);
  });

  it('exits with 1 for a model that is none', async () => {
    const at = await folder();
    const result = await runCli(['classify', join(at, 'none.safetensors'), CAT]);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/ivit: E_READ: There is no such file or folder \(.*none\.safetensors\)/);
  });
});
