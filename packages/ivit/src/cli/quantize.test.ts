import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { floatVitFiles, writeFloatVit } from '../../test/float-vit.js';
import { temporaryFolders } from '../../test/folder.js';
import { COMMIT, startHub } from '../../test/hub-server.js';
import { CAT, PHOTOS } from '../../test/photos.js';
import { runCli } from '../../test/run-cli.js';
import { loadModel } from '../index.js';

const folder = temporaryFolders();

/** A folder with a float model and one with calibration photos. */
async function workshop(): Promise<{ at: string; model: string; photos: string; output: string; cache: string }> {
  const at = await folder();
  const photos = join(at, 'photos');
  await mkdir(photos);
  for (const [index, path] of PHOTOS.entries()) await cp(path, join(photos, `${index}${path.slice(-4)}`));
  await writeFile(join(photos, 'notes.txt'), 'not a photo');
  return {
    at,
    model: await writeFloatVit(at),
    photos,
    output: join(at, 'out', 'ivit.safetensors'),
    cache: join(at, 'cache'),
  };
}

describe('ivit quantize', () => {
  it('writes a program that runs, the same bytes each time, and a report', async () => {
    const { at, model, photos, cache } = await workshop();
    const output = join(at, 'ivit.safetensors');
    const report = join(at, 'report.json');
    const args = ['quantize', model, '--calibrate', photos, '--json', '--unknown-below', '20000'];
    const first = await runCli([...args, '-o', output, '--report', report, '--cache', cache]);
    expect(first.stderr).toContain('self-check');
    expect(first.status).toBe(0);
    const loaded = await loadModel(output);
    expect(loaded.info.selfCheck).toBe('passed');
    expect(loaded.program.labels).toEqual(['cat', 'cup', 'rocket']);
    expect(loaded.program.unknownBelow).toBe(20000);
    expect(loaded.program.provenance).toMatchObject({ recipe: 'accurate@1' });
    expect(loaded.program.provenance?.calibration).toHaveLength(3);
    await loaded.dispose();
    expect(JSON.parse(first.stdout)).toMatchObject({
      file: output,
      model: loaded.info.model,
      recipe: 'accurate@1',
      photos: 3,
      bytes: (await readFile(output)).length,
    });
    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({ recipe: 'accurate@1', photos: 3 });
    expect((await readdir(join(cache, 'quantize'))).length).toBeGreaterThan(0);

    const cached = join(at, 'cached.safetensors');
    expect((await runCli([...args, '-o', cached, '--cache', cache, '--quiet'])).status).toBe(0);
    const fresh = join(at, 'fresh.safetensors');
    const slow = ['--no-cache', '--quiet', '--backend', 'reference'];
    expect((await runCli([...args, '-o', fresh, ...slow])).status).toBe(0);
    const [a, b, c] = await Promise.all([output, cached, fresh].map((path) => readFile(path)));
    expect(b?.equals(a ?? Buffer.alloc(0))).toBe(true);
    expect(c?.equals(a ?? Buffer.alloc(0))).toBe(true);
    expect((await readdir(at)).filter((name) => name.includes('.part'))).toEqual([]);
  });

  it('quantizes a repository of the hub by the paper recipe, and the program runs', async () => {
    const { at, photos, cache } = await workshop();
    const hub = await startHub({ 'someone/vit': { files: floatVitFiles() } });
    try {
      hub.faults.cuts.push(3000);
      const env = { IVIT_HF_ENDPOINT: hub.endpoint, IVIT_CACHE: cache };
      const output = join(at, 'ivit.safetensors');
      const args = ['quantize', 'hf:someone/vit@v1', '--calibrate', photos, '-o', output, '--recipe', 'paper@1'];
      const result = await runCli([...args, '--count', '2', '--seed', '7'], { env });
      expect(result.stderr).toContain('download model.safetensors');
      expect(result.status).toBe(0);
      expect(hub.requests.filter((line) => line.includes(`/resolve/${COMMIT}/`)).length).toBeGreaterThan(1);
      expect(await readdir(join(cache, 'hub', 'blobs'))).toHaveLength(2);
      const model = await loadModel(output);
      expect(model.program.provenance).toMatchObject({ recipe: 'paper@1' });
      expect(model.program.provenance?.calibration).toHaveLength(2);
      await model.dispose();
      const missing = await runCli(['classify', 'hf:someone/other', CAT, '--quiet'], { env });
      expect(missing).toMatchObject({ status: 1, stdout: '' });
      expect(missing.stderr).toMatch(/^ivit: E_NOT_FOUND: .*RepoNotFound/);
    } finally {
      await hub.close();
    }
  });

  it('refuses an empty calibration folder and leaves no file', async () => {
    const { at, model } = await workshop();
    const empty = join(at, 'empty');
    await mkdir(empty);
    const before = await readdir(at);
    const result = await runCli([
      'quantize',
      model,
      '--calibrate',
      empty,
      '-o',
      join(at, 'x.safetensors'),
      '--no-cache',
    ]);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/ivit: E_CALIBRATION_EMPTY: .*empty/);
    expect(await readdir(at)).toEqual(before);
  });

  it.each([
    [['--nonlinear', 'softmax=best'], 'E_NONLINEAR_CHOICE'],
    [['--nonlinear', 'norm=ptf', '--recipe', 'paper@1'], 'E_NONLINEAR_CHOICE'],
    [['--weight-bits', '9'], 'E_WEIGHT_BITS'],
    [['--weight-bits', 'FILE:{"blocks.99.qkv":4}'], 'E_WEIGHT_BITS'],
    [['--weight-bits', 'FILE:[4]'], 'E_WEIGHT_BITS'],
    [['--weight-bits', 'FILE:{"fc2":"4"}'], 'E_WEIGHT_BITS'],
    [['--weight-bits', 'FILE:{'], 'E_WEIGHT_BITS'],
    [['--weight-bits', 'nowhere.json'], 'E_READ'],
    [['--size-budget', '1kB'], 'E_SIZE_BUDGET'],
    [['--size-budget', '1MB', '--weight-bits', '4'], 'E_WEIGHT_BITS'],
  ])('refuses %j with a code, before it has written anything', async (options, code) => {
    const { at, model, photos } = await workshop();
    await writeFile(join(at, 'bits.json'), options[1]?.replace('FILE:', '') ?? '');
    const before = await readdir(at);
    const given = options.map((option) => (option.startsWith('FILE:') ? join(at, 'bits.json') : option));
    const args = [
      'quantize',
      model,
      '--calibrate',
      photos,
      '-o',
      join(at, 'x'),
      '--no-cache',
      '--count',
      '1',
      ...given,
    ];
    const result = await runCli(args);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toContain(`ivit: ${code}: `);
    expect(await readdir(at)).toEqual(before);
  });

  it('packs weights by a JSON of layers, says so, and the file is smaller by what the bits save', async () => {
    const { at, model, photos } = await workshop();
    await writeFile(join(at, 'bits.json'), '{"blocks": 6, "fc2": 4}');
    const run = async (output: string, ...more: string[]): Promise<{ bytes: number; recipe: string }> => {
      const args = ['quantize', model, '--calibrate', photos, '-o', join(at, output), '--no-cache', '--json', ...more];
      return JSON.parse((await runCli(args)).stdout);
    };
    const plain = await run('plain');
    const packed = await run('packed', '--weight-bits', join(at, 'bits.json'), '--nonlinear', 'gelu=i-bert');
    expect([plain.recipe, packed.recipe]).toEqual(['accurate@1', 'accurate@1+gelu=i-bert+weights=mixed']);
    expect(packed.bytes).toBeLessThan(plain.bytes);
    const { packedWeights } = JSON.parse((await runCli(['inspect', join(at, 'packed'), '--json'])).stdout);
    expect(Object.keys(packedWeights)).toEqual(['4', '6']);
    const budget = await run('budget', '--size-budget', String((plain.bytes + packed.bytes) >> 1));
    expect(budget.bytes).toBeLessThanOrEqual((plain.bytes + packed.bytes) >> 1);
    expect(budget.recipe).toMatch(/^accurate@1\+weights=/);
  });

  it('asks for the number of heads where no file tells, and takes it', async () => {
    const { at, model, photos } = await workshop();
    const path = join(model, 'config.json');
    const { num_heads: _, ...silent } = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify(silent));
    const args = ['quantize', model, '--calibrate', photos, '-o', join(at, 'x'), '--no-cache', '--recipe', 'paper@1'];
    const refused = await runCli(args);
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^ivit: E_MODEL_CONFIG: .*--heads/m);
    expect((await runCli([...args, '--heads', '2'])).status).toBe(0);
  });

  it('names a calibration photo that is corrupt and leaves no file', async () => {
    const { at, model, photos } = await workshop();
    await writeFile(join(photos, '1.jpg'), (await readFile(CAT)).subarray(0, 5000));
    const before = await readdir(at);
    const result = await runCli(['quantize', model, '--calibrate', photos, '-o', join(at, 'x'), '--no-cache']);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/ivit: E_[A-Z_]+: .*1\.jpg/);
    expect(await readdir(at)).toEqual(before);
  });

  it('refuses calibration photos above the size it is given', async () => {
    const { at, model, photos } = await workshop();
    const args = ['quantize', model, '--calibrate', photos, '-o', join(at, 'x'), '--no-cache', '--max-pixels', '1000'];
    const result = await runCli(args);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/ivit: E_IMAGE_TOO_LARGE: .*more than 1000 /);
  });

  it('knows an unwritable output before it starts', async () => {
    const { model, photos, output, at } = await workshop();
    const result = await runCli(['quantize', model, '--calibrate', photos, '-o', output, '--no-cache']);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/^ivit: E_OUTPUT: The folder does not exist \(.*ivit\.safetensors\)/);
    const report = join(at, 'none', 'report.json');
    const args = ['quantize', model, '--calibrate', photos, '-o', join(at, 'x'), '--report', report, '--no-cache'];
    expect((await runCli(args)).stderr).toMatch(/^ivit: E_OUTPUT: .*report\.json/);
    expect((await readdir(at)).sort()).toEqual(['float-vit', 'photos']);
  });

  it.skipIf(process.platform === 'win32')('leaves nothing where the system stops the write', async () => {
    const { at, model, photos } = await workshop();
    const before = await readdir(at);
    const args = ['quantize', model, '--calibrate', photos, '-o', join(at, 'x.safetensors'), '--no-cache', '--quiet'];
    const result = await runCli(args, { fileLimit: 4, env: { TSX_DISABLE_CACHE: '1' } });
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toMatch(/^ivit: E_OUTPUT: The file is larger than allowed \(.*x\.safetensors\)/);
    expect(await readdir(at)).toEqual(before);
  });

  it.skipIf(process.platform === 'win32').each([
    ['Ctrl-C', 'SIGINT'],
    ['a closed terminal', 'SIGHUP'],
  ] as const)('ends at %s with 130 and leaves no file', async (_, signal) => {
    const { at, model, photos } = await workshop();
    const before = await readdir(at);
    let sent = false;
    const args = ['quantize', model, '--calibrate', photos, '-o', join(at, 'x.safetensors'), '--no-cache'];
    const result = await runCli(args, {
      onStderr: (text, child) => {
        if (sent || !text.includes('calibration photos')) return;
        sent = true;
        child.kill(signal);
      },
    });
    expect(sent).toBe(true);
    expect(result).toMatchObject({ status: 130, signal: null, stdout: '' });
    expect(result.stderr).toMatch(/ivit: interrupted\n$/);
    expect(await readdir(at)).toEqual(before);
  });
});
