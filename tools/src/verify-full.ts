/**
 * `pnpm verify:full [--model FILE] [--photos N] …`: photos through DeiT-Tiny on the fast backend, at several thread
 * counts and batches, every logit compared with the reference backend's. Those are computed once and kept. Ends with
 * `N checked, N different` (photos times configurations). With `--webgpu` it is 20 photos on the WebGPU backend. Exit code 0,
 * 1 (different or failed) or 2 (usage). Where `../shared` is missing nothing can be checked, which is said with a count.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProgram } from '@ivit/formats/program';
import { decodeImage, preprocess } from '@ivit/image';
import { IvitError, modelId, type ValidatedProgram, validate } from '@ivit/program';
import { hasShared, sharedPath } from './bench/places.js';
import { makeTinyModel } from './bench/tiny-model.js';
import { readArguments, USAGE, type VerifyArguments } from './verify-full/arguments.js';
import { compareLogits, logitsDigest } from './verify-full/compare.js';
import { type LogitsCache, openLogitsCache } from './verify-full/logits-cache.js';
import { referenceLogits } from './verify-full/reference-pool.js';
import { createEveryBackend } from './webgpu/every-backend.js';

/** Photos in `../shared/images/imagenet`. */
const ALL_PHOTOS = 500;

interface Image {
  readonly name: string;
  readonly pixels: Uint8Array;
  /** sha256 (hex) of the pixels. */
  readonly key: string;
}

/** Every k-th photo by name, so that a sample covers the list. @throws IvitError E_SHARED, E_PHOTOS */
async function readImages(program: ValidatedProgram, count: number): Promise<Image[]> {
  const folder = sharedPath('images/imagenet');
  const names = readdirSync(folder)
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .sort();
  if (names.length < count) {
    throw new IvitError('E_PHOTOS', `${count} photos are wanted, ${names.length} are there`, { where: folder });
  }
  if (program.image === undefined) throw new IvitError('E_MODEL', 'The file does not say how photos become pixels');
  const images: Image[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = names[Math.floor((index * names.length) / count)] ?? '';
    const pixels = preprocess(await decodeImage(readFileSync(join(folder, name)), { where: name }), program.image);
    images.push({ name, pixels, key: createHash('sha256').update(pixels).digest('hex') });
  }
  return images;
}

/** Fills the cache, then recomputes one logits vector that it had: a stale cache must not pass for the truth. */
async function fillCache(cache: LogitsCache, file: string, images: readonly Image[], processes: number): Promise<void> {
  const kept = images.find((image) => cache.get(image.key) !== undefined);
  const missing = images.filter((image) => cache.get(image.key) === undefined);
  console.error(`reference: ${images.length - missing.length} photos known, ${missing.length} to compute`);
  let done = 0;
  const pixels = missing.map((image) => image.pixels);
  await referenceLogits(file, pixels, processes, (index, logits) => {
    cache.put(missing[index]?.key ?? '', logits);
    done += 1;
    if (done % 25 === 0 || done === missing.length) console.error(`reference: ${done} of ${missing.length}`);
  });
  if (kept === undefined) return;
  await referenceLogits(file, [kept.pixels], 1, (_, logits) => {
    if (logitsDigest([logits]) === logitsDigest([cache.get(kept.key) ?? new Int32Array(0)])) return;
    throw new IvitError('E_CACHE', `The kept logits of ${kept.name} are not the reference backend's`, {
      where: cache.folder,
      hint: 'Delete the folder. If the reference backend was meant to give other logits, it is another spec.',
    });
  });
}

async function runAll(
  program: ValidatedProgram,
  images: readonly Image[],
  { backend, threads, batch }: { backend: VerifyArguments['backend']; threads: number; batch: number },
): Promise<{ logits: Int32Array[]; milliseconds: number; variant: string }> {
  const executable = await (await createEveryBackend(backend, threads)).compile(program, { maxBatch: batch });
  try {
    const logits: Int32Array[] = [];
    const started = performance.now();
    for (let start = 0; start < images.length; start += batch) {
      const some = images.slice(start, start + batch);
      const pixels = new Uint8Array(Buffer.concat(some.map((image) => image.pixels)));
      const data = (await executable.run(pixels, { batch: some.length }))[program.output]?.data;
      if (!(data instanceof Int32Array)) throw new IvitError('E_BACKEND', 'The backend returned no int32 logits');
      const classes = data.length / some.length;
      for (let at = 0; at < some.length; at += 1) logits.push(data.slice(at * classes, (at + 1) * classes));
    }
    const { variant, threads: used } = executable.info;
    return { logits, milliseconds: performance.now() - started, variant: `${variant}, ${used} threads used` };
  } finally {
    await executable.dispose();
  }
}

async function main(): Promise<void> {
  const given = readArguments(process.argv.slice(2));
  const configurations = given.threads.flatMap((threads) => given.batches.map((batch) => ({ threads, batch })));
  const count = given.photos ?? ALL_PHOTOS;
  if (!hasShared()) {
    console.log(`../shared is not there: ${count * configurations.length} checks skipped`);
    console.log('0 checked, 0 different');
    return;
  }
  if (given.model !== undefined && !existsSync(given.model)) {
    throw new IvitError('E_MODEL', 'There is no such file', { where: given.model });
  }
  const file = given.model ?? makeTinyModel(given.cache);
  const program = validate(readProgram(readFileSync(file), { where: file }), { where: file });
  const model = modelId(program);
  console.log(`model ${model} (${program.spec})`);
  const images = await readImages(program, count);
  const cache = openLogitsCache(given.cache, program, model);
  await fillCache(cache, file, images, given.processes);
  const expected = images.map((image) => cache.get(image.key) ?? new Int32Array(0));
  console.log(`reference: ${images.length} photos, digest ${logitsDigest(expected)}`);
  if (given.prepare) return;

  let different = 0;
  for (const { threads, batch } of configurations) {
    const { logits, milliseconds, variant } = await runAll(program, images, { backend: given.backend, threads, batch });
    const result = compareLogits(expected, logits);
    different += result.differentImages;
    const each = (milliseconds / images.length).toFixed(1);
    console.log(
      `${given.backend} (${variant}), threads ${threads}, batch ${batch}: ${result.images} photos, ${result.differentLogits} logits different, digest ${logitsDigest(logits)}, ${(milliseconds / 1000).toFixed(1)} s, ${each} ms a photo`,
    );
    const { first } = result;
    if (first !== undefined) {
      const name = images[first.image]?.name;
      console.log(`  DIFFERENT ${name}, logit ${first.logit}: ${first.found} instead of ${first.expected}`);
    }
  }
  console.log(`${images.length * configurations.length} checked, ${different} different`);
  process.exitCode = different === 0 ? 0 : 1;
}

try {
  await main();
} catch (error) {
  const usage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const code = IvitError.isInstance(error) ? error.code : usage ? 'E_USAGE' : 'E_VERIFY';
  const text = error instanceof Error ? error.message : String(error);
  console.error(`${code}: ${text}${usage ? `\n${USAGE}` : ''}`);
  process.exitCode = code === 'E_USAGE' ? 2 : 1;
}
