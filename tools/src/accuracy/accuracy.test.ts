import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createReferenceBackend } from '@ivit/backend-reference';
import { writeProgram } from '@ivit/formats/program';
import { decodeImage, preprocess } from '@ivit/image';
import { readVit } from '@ivit/models';
import { quantizeVit } from '@ivit/quantize';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleCommand } from '../../bundle-command.mjs';
import { readModelFolder } from './model-folder.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));
const bundle = await bundleCommand(join(project, 'tools/src/accuracy.ts'));
afterAll(() => rmSync(bundle.folder, { recursive: true, force: true }));
const shared = join(project, '../shared');
const floatFolder = join(shared, 'models/cifar10_vit_small');
const here = existsSync(shared);
if (!here) console.warn('pnpm accuracy end to end: 3 tests skipped, ../shared is missing');

describe.skipIf(!here)('pnpm accuracy', () => {
  let work = '';
  const names: string[] = [];

  function accuracy(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const env = { ...process.env, XDG_CACHE_HOME: join(work, 'cache') };
    return spawnSync(process.execPath, [bundle.file, ...args], { cwd: project, encoding: 'utf8', env });
  }

  const common = (): string[] => [
    join(work, 'model.safetensors'),
    '--float',
    floatFolder,
    '--images',
    join(work, 'photos'),
    '--classes',
    join(work, 'classes.json'),
  ];

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'ivit-accuracy-'));
    mkdirSync(join(work, 'photos'));
    const source = join(shared, 'images/imagenet');
    for (const [index, name] of readdirSync(source).sort().slice(0, 8).entries()) {
      const copy = `${index % 2 === 0 ? 'bird' : 'frog'}_${index}.jpg`;
      copyFileSync(join(source, name), join(work, 'photos', copy));
      names.push(copy);
    }
    const label = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
    writeFileSync(join(work, 'classes.json'), JSON.stringify({ label }));
    const weights = readVit(readModelFolder(floatFolder));
    const crop = { height: weights.config.imageSize, width: weights.config.imageSize };
    const photos = await Promise.all(
      names.slice(0, 3).map(async (name) => {
        const bytes = readFileSync(join(work, 'photos', name));
        const pixels = preprocess(await decodeImage(bytes), { ...weights.preprocess, crop });
        return { name, sha256: createHash('sha256').update(bytes).digest('hex'), pixels };
      }),
    );
    const { program } = await quantizeVit({ weights, photos, backend: createReferenceBackend() });
    writeFileSync(join(work, 'model.safetensors'), writeProgram(program));
  }, 120_000);

  afterAll(() => rmSync(work, { recursive: true, force: true }));

  test('leaves the calibration photos out and ends in one line of JSON', () => {
    const { status, stdout, stderr } = accuracy(...common(), '--json');
    expect(stderr).toContain('5 photos; 3 used for calibration left out');
    const result: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    const share = expect.toSatisfy((value: number) => Number.isInteger(value * 5) && value >= 0 && value <= 1);
    expect(result).toEqual({
      images: 5,
      floatTop1: share,
      intTop1: share,
      floatTop5: share,
      intTop5: share,
      agreement: share,
      sqnr: expect.toSatisfy((value: number) => value > 25 && value < 80),
    });
    expect(status).toBe(0);
    // Again, the float logits from the cache, on one thread: the same figures.
    expect(readdirSync(join(work, 'cache/ivit/float-logits'))).toHaveLength(1);
    expect(accuracy(...common(), '--json', '--threads', '1').stdout).toBe(stdout);
  });

  test('the two halves are what is left', () => {
    const count = (half: string): number => {
      const { stdout } = accuracy(...common(), '--json', '--half', half);
      const last: { images: number } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{"images":0}');
      return last.images;
    };
    expect(count('tune') + count('report')).toBe(5);
  });

  test('says with a code what is wrong', () => {
    expect(accuracy()).toMatchObject({ status: 2, stderr: expect.stringContaining('E_USAGE') });
    expect(accuracy(...common(), '--half', 'best')).toMatchObject({ status: 2 });
    expect(accuracy(...common(), '--wrong')).toMatchObject({ status: 2, stderr: expect.stringContaining('usage:') });
    const other = common().map((argument) =>
      argument === floatFolder ? join(shared, 'models/deit_tiny_patch16_224') : argument,
    );
    expect(accuracy(...other)).toMatchObject({ status: 1, stderr: expect.stringContaining('E_ACCURACY') });
    const missing = common().map((argument) => (argument.endsWith('photos') ? join(work, 'cache') : argument));
    expect(accuracy(...missing)).toMatchObject({ status: 1, stderr: expect.stringContaining('E_PHOTOS') });
  });
});
