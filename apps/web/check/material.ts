/** What Node makes of the same photos and files, for the page to be compared with. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { defaultBackends, loadModel } from 'ivit';
import { floatVitFiles } from '../../../packages/ivit/test/float-vit.js';

const PHOTOS = fileURLToPath(new URL('../../../packages/ivit/photos/', import.meta.url));
const CLI = fileURLToPath(new URL('../../../packages/ivit/bin/ivit.js', import.meta.url));
const NAMES = ['cat.jpg', 'coffee.png', 'kingfisher.jpg', 'rocket.jpg'];

export interface Expected {
  /** Label and score k of the five best, as the page writes them. */
  readonly answers: readonly (readonly [label: string, score: string])[];
  readonly receipt: Readonly<Record<string, string>>;
}

export interface Material {
  /** A folder that the page's files are chosen from; removed by `remove`. */
  readonly folder: string;
  readonly photo: (name: string) => string;
  /** By photo, on the built-in model. */
  readonly expected: ReadonlyMap<string, Expected>;
  /** Paths of the float model's files and of the calibration photos. */
  readonly weights: readonly string[];
  readonly calibration: readonly string[];
  /** So many photos that quantizing takes seconds. */
  readonly manyPhotos: readonly string[];
  /** The file that `ivit quantize` made of them, and its answers. */
  readonly quantized: Uint8Array;
  readonly quantizedExpected: Expected;
  remove(): Promise<void>;
}

async function expectedOf(source: 'builtin' | Uint8Array, photo: string): Promise<Expected> {
  const backends = await defaultBackends({ threads: 1 });
  const model = await loadModel(source, { backends });
  const [answers, [result]] = [await model.classify(photo, { topK: 5 }), await model.run([photo])];
  await model.dispose();
  if (result === undefined) throw new RangeError('no result');
  const { spec, model: id, pixels, output } = result.receipt;
  return {
    answers: answers.map(({ label, score }) => [label, (score * 65536).toLocaleString('en-US')] as const),
    receipt: { spec, model: id, pixels, output },
  };
}

export async function makeMaterial(): Promise<Material> {
  const folder = await mkdtemp(join(tmpdir(), 'ivit-web-'));
  const photo = (name: string): string => join(PHOTOS, name);
  const [model, calibrate, many] = ['model', 'photos', 'many'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [model, calibrate, many]) await mkdir(path);
  const weights: string[] = [];
  for (const [name, bytes] of floatVitFiles()) {
    weights.push(join(model, name));
    await writeFile(join(model, name), bytes);
  }
  for (const name of NAMES) await cp(photo(name), join(calibrate, name));
  const manyPhotos = Array.from({ length: 32 }, (_, index) => join(many, `${index}.jpg`));
  for (const path of manyPhotos) await cp(photo('rocket.jpg'), path);
  const output = join(folder, 'quantized.safetensors');
  const args = [
    CLI,
    'quantize',
    model,
    '--calibrate',
    calibrate,
    '-o',
    output,
    '--cache',
    join(folder, 'cache'),
    '--quiet',
  ];
  await promisify(execFile)(process.execPath, args);
  const quantized = new Uint8Array(await readFile(output));
  const expected = new Map<string, Expected>();
  for (const name of ['kingfisher.jpg', 'coffee.png']) expected.set(name, await expectedOf('builtin', photo(name)));
  await writeFile(join(folder, 'broken.png'), 'no photo at all');
  return {
    folder,
    photo,
    expected,
    weights,
    calibration: NAMES.map((name) => join(calibrate, name)),
    manyPhotos,
    quantized,
    quantizedExpected: await expectedOf(quantized, photo('coffee.png')),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
