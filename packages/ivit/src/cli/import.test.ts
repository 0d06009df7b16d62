import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors, writeSafetensors } from '@ivit/formats/safetensors';
import { describe, expect, it } from 'vitest';
import { floatVitFiles } from '../../test/float-vit.js';
import { temporaryFolders } from '../../test/folder.js';
import { runCli } from '../../test/run-cli.js';

const VECTORS = fileURLToPath(new URL('../../../../vectors/ivit/', import.meta.url));
const SHARED = fileURLToPath(new URL('../../../../../shared/', import.meta.url));
const PHOTO = fileURLToPath(new URL('../../photos/cat.jpg', import.meta.url));
const STATE_DICT = join(VECTORS, 'tiny_vit/state_dict.safetensors');
const folder = temporaryFolders();

async function importOf(checkpoint: string, ...options: string[]) {
  const at = await folder();
  const output = join(at, 'out.safetensors');
  const result = await runCli(['import', checkpoint, '-o', output, '--json', '--quiet', ...options]);
  const report = result.status === 0 ? JSON.parse(result.stdout) : undefined;
  return { ...result, report, output, left: await readdir(at) };
}

describe('ivit import', () => {
  it('writes the program of a state dict, which inspect and classify can read', async () => {
    const { report, output, status } = await importOf(STATE_DICT, '--heads', '2');
    expect(status).toBe(0);
    expect(report).toMatchObject({ architecture: 'vit' });
    const classified = await runCli(['classify', output, PHOTO, '--json', '--quiet']);
    expect(classified.status).toBe(0);
    expect(classified.stdout).toContain(report.model);
  });

  it('takes the heads from a configuration', async () => {
    const config = join(VECTORS, 'tiny_vit/config.json');
    const [byOption, byConfig] = [
      await importOf(STATE_DICT, '--heads', '2'),
      await importOf(STATE_DICT, '--config', config),
    ];
    expect(byConfig.report.model).toBe(byOption.report.model);
  });

  it('says what is missing or wrong, and leaves nothing behind', async () => {
    const noHeads = await importOf(STATE_DICT);
    expect(noHeads).toMatchObject({ status: 1, left: [] });
    expect(noHeads.stderr).toContain('E_MODEL_CONFIG: the number of heads is unknown (dim 64');
    const text = join(await folder(), 'page.pth');
    await writeFile(text, '<!doctype html>');
    expect(await importOf(text)).toMatchObject({
      status: 1,
      left: [],
      stderr: expect.stringContaining('E_TORCH_FORMAT'),
    });
    expect((await runCli(['import', STATE_DICT])).status).toBe(2);
    expect((await importOf(STATE_DICT, '--heads', '2', '--config', text)).status).toBe(2);
  });
});

describe.skipIf(!existsSync(SHARED))('ivit import of what torch.save wrote (2 tests)', () => {
  const shared = join(SHARED, 'vectors/ivit');

  it('gives one model from the checkpoint, the resume form and the state dict', async () => {
    const state = await importOf(STATE_DICT, '--heads', '2');
    for (const name of ['checkpoint.pth.tar', 'checkpoint_resume_style.pth.tar']) {
      const { report } = await importOf(join(shared, 'tiny_vit', name), '--heads', '2');
      expect(report.model, name).toBe(state.report.model);
    }
  });

  it('builds a Swin without being told its sizes', async () => {
    const { report } = await importOf(join(shared, 'tiny_swin/checkpoint.pth.tar'));
    expect(report).toMatchObject({ architecture: 'swin' });
  });
});

describe('ivit quantize of other weight files', () => {
  async function workshop(files: ReadonlyMap<string, Uint8Array>) {
    const at = await folder();
    const model = join(at, 'model');
    const photos = join(at, 'photos');
    await mkdir(model);
    await mkdir(photos);
    await cp(PHOTO, join(photos, 'cat.jpg'));
    for (const [name, bytes] of files) await writeFile(join(model, name), bytes);
    const run = (source: string) =>
      runCli([
        'quantize',
        source,
        '--calibrate',
        photos,
        '-o',
        join(at, 'o.safetensors'),
        '--no-cache',
        '--json',
        '--quiet',
      ]);
    return { model, run };
  }

  it('reads shards: the same program as from one file', async () => {
    const whole = floatVitFiles();
    const files = new Map(whole);
    const tensors = [...readSafetensors(whole.get('model.safetensors') ?? new Uint8Array(0)).tensors.values()];
    const half = Math.floor(tensors.length / 2);
    const parts = { 'a.safetensors': tensors.slice(0, half), 'b.safetensors': tensors.slice(half) };
    const map: Record<string, string> = {};
    for (const [file, part] of Object.entries(parts)) {
      for (const { name } of part) map[name] = file;
      files.set(file, writeSafetensors(part));
    }
    files.delete('model.safetensors');
    files.set('model.safetensors.index.json', new TextEncoder().encode(JSON.stringify({ weight_map: map })));
    const [one, sharded] = [await workshop(whole), await workshop(files)];
    const [first, second] = [await one.run(one.model), await sharded.run(sharded.model)];
    expect([first.status, second.status, second.stderr]).toEqual([0, 0, '']);
    expect(JSON.parse(second.stdout).model).toBe(JSON.parse(first.stdout).model);
  });

  it.skipIf(!existsSync(SHARED))('reads a float checkpoint of torch.save, by folder and by file (1 test)', async () => {
    const checkpoint = await readFile(join(SHARED, 'vectors/ivit/tiny_vit_digits/float_checkpoint_deit_style.pth'));
    const config = { num_heads: 2, pretrained_cfg: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } };
    const files = new Map([
      ['best.pth', new Uint8Array(checkpoint)],
      ['config.json', new TextEncoder().encode(JSON.stringify(config))],
    ]);
    const { model, run } = await workshop(files);
    const [byFolder, byFile] = [await run(model), await run(join(model, 'best.pth'))];
    expect([byFolder.status, byFile.status, byFile.stderr]).toEqual([0, 0, '']);
    expect(JSON.parse(byFile.stdout).model).toBe(JSON.parse(byFolder.stdout).model);
  });
});
