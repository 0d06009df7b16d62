import { readFile } from 'node:fs/promises';
import { modelId } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { writeFloatVit } from '../../test/float-vit.js';
import { temporaryFolders } from '../../test/folder.js';
import { runCli } from '../../test/run-cli.js';
import { tinyModel, writeTinyModel } from '../../test/tiny-model.js';

const folder = temporaryFolders();

describe('ivit inspect', () => {
  it('says what a program file holds', async () => {
    const file = await writeTinyModel(await folder());
    const { program } = await tinyModel();
    const json = await runCli(['inspect', file, '--json', '--ops']);
    expect(json.status).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({
      file,
      fileBytes: (await readFile(file)).length,
      spec: 'ivit/1',
      model: modelId(program),
      input: { name: 'pixels', dtype: 'u8', shape: [8, 8, 3] },
      output: { name: 'logits', dtype: 'i32', shape: [3], shift: 8 },
      labels: ['left', 'right', 'upper'],
      opCount: 3,
      macs: 576,
      selfCheck: { seed: 1 },
      provenance: { recipe: 'by hand' },
      program: expect.stringContaining('sums: i32[3] = linear('),
    });
    const text = await runCli(['inspect', file]);
    expect(text.stdout).toContain(`model       ${modelId(program)}\n`);
    expect(text.stdout).toContain('labels      3: left, right, upper\n');
    expect(text.stdout).toContain('MACs        576\n');
  });

  it('says to quantize float weights', async () => {
    const result = await runCli(['inspect', await writeFloatVit(await folder())]);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/E_NEEDS_QUANTIZING/);
  });
});
