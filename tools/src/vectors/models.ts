import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '@ivit/backend';
import {
  buildCompiledPaperSwin,
  buildCompiledPaperVit,
  buildPaperSwin,
  buildPaperVit,
  type PaperVitOptions,
} from '@ivit/models';
import { type IntArray, type Program, validate } from '@ivit/program';
import type { Tally } from './tally.js';
import { readTensors, type Tensors } from './tensors.js';

interface ModelConfig {
  readonly kind: string;
  readonly config: { readonly img_size: number; readonly num_heads: number | readonly number[] };
}

interface TraceHash {
  readonly shape: readonly number[];
  readonly sha256_i64le: string;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
}

/** Forms a model may be stored in, each built and run for itself. */
const SOURCES = [
  'checkpoint.pth.tar',
  'checkpoint_resume_style.pth.tar',
  'state_dict.safetensors',
  'int_model.safetensors',
  'compiled.safetensors',
];

/** The pixel normalization of the golden vectors. */
const NORMALIZATION = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

function build(path: string, { config, kind }: ModelConfig): Program | undefined {
  const tensors = readTensors(path).entries;
  const preprocess = { resize: config.img_size, interpolation: 'bicubic', ...NORMALIZATION } as const;
  if (kind === 'swin') {
    const options = { where: path, preprocess };
    return tensors.has('patch_embed.proj.weight_integer')
      ? buildPaperSwin(tensors, options)
      : buildCompiledPaperSwin(tensors, options);
  }
  const heads = typeof config.num_heads === 'number' ? { heads: config.num_heads } : {};
  const options: PaperVitOptions = { where: path, ...heads, preprocess };
  if (tensors.has('patch_embed.proj.weight_integer')) return buildPaperVit(tensors, options);
  // A compiled file may leave the weights out.
  return tensors.has('pe.w') ? buildCompiledPaperVit(tensors, options) : undefined;
}

/** u8 [B,H,W,3]; the digits are stored 8×8, gray. */
function imagesOf(vectors: Tensors, side: number): Uint8Array {
  if (vectors.has('images_u8')) return Uint8Array.from(vectors.bytes('images_u8'));
  const gray = vectors.bytes('images_8x8_u8');
  const factor = side / 8;
  const images = new Uint8Array((gray.length / 64) * side * side * 3);
  for (let index = 0; index < images.length; index += 1) {
    const pixel = Math.floor(index / 3);
    const image = Math.floor(pixel / (side * side));
    const y = Math.floor((Math.floor(pixel / side) % side) / factor);
    const x = Math.floor((pixel % side) / factor);
    images[index] = gray[image * 64 + y * 8 + x] as number;
  }
  return images;
}

/** What is kept of one value over all images: the vectors' own digest, and the first elements. */
class ValueRecord {
  readonly #hash = createHash('sha256');
  readonly #kept: number[] = [];
  readonly #keep: number;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  sum = 0;
  count = 0;

  /** @param keep elements to keep for comparison */
  constructor(keep: number) {
    this.#keep = keep;
  }

  add(data: IntArray): void {
    // Little-endian int64: the int32 and its sign.
    const words = new Int32Array(2 * data.length);
    for (let index = 0; index < data.length; index += 1) {
      const value = data[index] as number;
      words[2 * index] = value;
      words[2 * index + 1] = value < 0 ? -1 : 0;
      this.min = Math.min(this.min, value);
      this.max = Math.max(this.max, value);
      this.sum += value;
      if (this.#kept.length < this.#keep) this.#kept.push(value);
    }
    this.count += data.length;
    this.#hash.update(new Uint8Array(words.buffer));
  }

  get kept(): readonly number[] {
    return this.#kept;
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** Runs all images with the named values kept. */
async function runAll(
  backend: Backend,
  program: Program,
  names: readonly string[],
  images: Uint8Array,
  batch: number,
  keep: (name: string) => number,
): Promise<Map<string, ValueRecord>> {
  const valid = validate(program);
  const records = new Map(names.map((name) => [name, new ValueRecord(keep(name))]));
  const executable = await backend.compile(valid, { maxBatch: batch, outputs: names });
  const size = (program.values[program.input]?.shape ?? []).reduce((product, n) => product * n, 1);
  for (let first = 0; first < images.length; first += batch * size) {
    const pixels = images.subarray(first, first + batch * size);
    const outputs = await executable.run(pixels, { batch: pixels.length / size });
    for (const [name, record] of records) {
      const output = outputs[name];
      if (output !== undefined) record.add(output.data);
    }
  }
  await executable.dispose();
  return records;
}

/** Index of the largest of each row of `width` numbers, ties to the lowest index. */
function winners(values: ArrayLike<number>, width: number): number[] {
  const found: number[] = [];
  for (let row = 0; row < values.length; row += width) {
    let best = 0;
    for (let index = 1; index < width; index += 1) {
      if ((values[row + index] as number) > (values[row + best] as number)) best = index;
    }
    found.push(best);
  }
  return found;
}

/** Channel-first input integers `[B,3,H,W]` as the program has them: `[B,H,W,3]`. */
function channelsLast(values: ArrayLike<number>, side: number): number[] {
  return Array.from(values, (_, index) => {
    const pixel = Math.floor(index / 3);
    const image = Math.floor(pixel / (side * side));
    return values[(image * 3 + (index % 3)) * side * side + (pixel % (side * side))] as number;
  });
}

function checkHashes(what: string, records: Map<string, ValueRecord>, file: string, tally: Tally): void {
  const hashes = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, TraceHash>>;
  for (const [name, expected] of Object.entries(hashes)) {
    const record = records.get(name);
    if (record === undefined) {
      tally.check(`${what} ${name}`, 'the program has no such value');
      continue;
    }
    const count = expected.shape.reduce((product, size) => product * size, 1);
    const facts = [record.count, record.min, record.max, record.sum];
    tally.same(`${what} ${name} count, min, max, sum`, facts, [count, expected.min, expected.max, expected.sum]);
    tally.check(`${what} ${name} sha256`, record.digest() === expected.sha256_i64le ? undefined : 'the hash differs');
  }
}

/** Runs one stored form of a model and compares everything the folder holds about it. */
async function checkSource(
  backend: Backend,
  folder: string,
  source: string,
  program: Program,
  side: number,
  tally: Tally,
  batch: number,
): Promise<void> {
  const vectors = readTensors(join(folder, 'vectors.safetensors'));
  const images = imagesOf(vectors, side);
  const expected = new Map<string, ArrayLike<number>>([
    ['head', vectors.numbers('logits_int')],
    [program.output, vectors.numbers('logits_exact')],
  ]);
  for (const name of vectors.entries.keys()) {
    if (name.startsWith('trace/')) expected.set(name.slice('trace/'.length), vectors.numbers(name));
  }
  if (vectors.has('input_int')) expected.set('qact_input', channelsLast(vectors.numbers('input_int'), side));
  const names = Object.keys(program.values).filter((name) => name !== program.input);
  const records = await runAll(backend, program, names, images, batch, (name) => expected.get(name)?.length ?? 0);
  for (const [name, values] of expected) {
    const what = `${source} ${name}`;
    const found = records.get(name)?.kept ?? [];
    // The real logits are the integers times a scale per class: at the program's one scale the order must be theirs.
    if (name !== program.output) tally.same(what, found, values);
    else tally.same(`${what} best class`, winners(found, last(program)), winners(values, last(program)));
  }
  const hashes = join(folder, 'trace_hashes.json');
  if (existsSync(hashes)) checkHashes(source, records, hashes, tally);
  // Where no value but the output is kept, a backend may fuse: the bits must stay.
  const fused = (await runAll(backend, program, [program.output], images, batch, () => 0)).get(program.output);
  const same = fused?.digest() === records.get(program.output)?.digest();
  tally.check(`${source} output alone`, same ? undefined : 'the bits differ from those with every value kept');
}

function last(program: Program): number {
  const shape = program.values[program.output]?.shape ?? [];
  return shape[shape.length - 1] ?? 1;
}

/**
 * One model folder; the reason when it is not covered.
 *
 * @param batch images run at once: bounds the memory of keeping every value
 */
export async function checkModelFolder(
  backend: Backend,
  folder: string,
  tally: Tally,
  batch: number,
): Promise<string | undefined> {
  const model = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as ModelConfig;
  if (model.kind !== 'vit' && model.kind !== 'swin') return `no builder for kind '${model.kind}'`;
  let ran = 0;
  for (const source of SOURCES) {
    const path = join(folder, source);
    const program = existsSync(path) ? build(path, model) : undefined;
    if (program === undefined) continue;
    await checkSource(backend, folder, source, program, model.config.img_size, tally, batch);
    ran += 1;
  }
  return ran > 0 ? undefined : 'no stored form that holds the weights';
}
