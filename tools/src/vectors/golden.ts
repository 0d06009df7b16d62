/**
 * Golden models of the original implementation: what a folder holds of one, and what a backend must make of it. What is compared
 * is known before anything runs, so that a run which leaves something out is found out. Uses nothing of Node.
 */
import type { Backend } from '@ivit/backend';
import {
  buildCompiledPaperSwin,
  buildCompiledPaperVit,
  buildPaperSwin,
  buildPaperVit,
  type PaperVitOptions,
} from '@ivit/models';
import { modelId, type Program, type ValidatedProgram, validate } from '@ivit/program';
import { sha256 } from '@noble/hashes/sha2.js';
import { differenceOf } from './tally.js';
import { parseTensors, type Tensors } from './tensors.js';
import { type Hash, ValueRecord } from './value-record.js';

/** Files of a model by name. */
export interface GoldenFolder {
  has(name: string): boolean;
  read(name: string): Promise<Uint8Array>;
}

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

function build(where: string, bytes: Uint8Array, { config, kind }: ModelConfig): Program | undefined {
  const tensors = parseTensors(bytes, where).entries;
  const preprocess = { resize: config.img_size, interpolation: 'bicubic', ...NORMALIZATION } as const;
  if (kind === 'swin') {
    const options = { where, preprocess };
    return tensors.has('patch_embed.proj.weight_integer')
      ? buildPaperSwin(tensors, options)
      : buildCompiledPaperSwin(tensors, options);
  }
  const heads = typeof config.num_heads === 'number' ? { heads: config.num_heads } : {};
  const options: PaperVitOptions = { where, ...heads, preprocess };
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

/** One stored form of a model, with all that its folder holds about it. */
export interface GoldenSource {
  /** Its file. */
  readonly name: string;
  readonly program: ValidatedProgram;
  /** u8 [B,H,W,3] */
  readonly images: Uint8Array;
  /** Numbers of all images, or of the first ones, by value. */
  readonly numbers: ReadonlyMap<string, ArrayLike<number>>;
  readonly hashes: Readonly<Record<string, TraceHash>>;
}

function numbersOf(program: Program, vectors: Tensors, side: number): ReadonlyMap<string, ArrayLike<number>> {
  const numbers = new Map<string, ArrayLike<number>>([
    ['head', vectors.numbers('logits_int')],
    [program.output, vectors.numbers('logits_exact')],
  ]);
  for (const name of vectors.entries.keys()) {
    if (name.startsWith('trace/')) numbers.set(name.slice('trace/'.length), vectors.numbers(name));
  }
  if (vectors.has('input_int')) numbers.set('qact_input', channelsLast(vectors.numbers('input_int'), side));
  return numbers;
}

const jsonOf = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

/** The stored forms of one model folder, or the reason why it is not covered. */
export async function readGolden(folder: GoldenFolder): Promise<readonly GoldenSource[] | string> {
  const model = jsonOf(await folder.read('config.json')) as ModelConfig;
  if (model.kind !== 'vit' && model.kind !== 'swin') return `no builder for kind '${model.kind}'`;
  const side = model.config.img_size;
  const sources: GoldenSource[] = [];
  for (const name of SOURCES) {
    const program = folder.has(name) ? build(name, await folder.read(name), model) : undefined;
    if (program === undefined) continue;
    const vectors = parseTensors(await folder.read('vectors.safetensors'), 'vectors.safetensors');
    const hashes = folder.has('trace_hashes.json') ? jsonOf(await folder.read('trace_hashes.json')) : {};
    sources.push({
      name,
      program: validate(program),
      images: imagesOf(vectors, side),
      numbers: numbersOf(program, vectors, side),
      hashes: hashes as GoldenSource['hashes'],
    });
  }
  return sources.length > 0 ? sources : 'no stored form that holds the weights';
}

/** Those whose program no other one before has: equal programs give equal bits. */
export function distinctSources(sources: readonly GoldenSource[]): readonly GoldenSource[] {
  const byId = new Map<string, GoldenSource>();
  for (const source of sources) {
    const id = modelId(source.program);
    if (!byId.has(id)) byId.set(id, source);
  }
  return [...byId.values()];
}

/** What a backend made of a source. */
export interface GoldenRun {
  /** By value, with every value kept. */
  readonly records: ReadonlyMap<string, ValueRecord>;
  /** The output, where no other value is kept: a backend may fuse then. */
  readonly alone: ValueRecord | undefined;
}

/** The source's images, at most `batch` at once. */
export function* batchesOf(
  { program, images }: GoldenSource,
  batch: number,
): Generator<{ readonly pixels: Uint8Array; readonly count: number }> {
  const size = (program.values[program.input]?.shape ?? []).reduce((product, n) => product * n, 1);
  for (let first = 0; first < images.length; first += batch * size) {
    const pixels = images.subarray(first, first + batch * size);
    yield { pixels, count: pixels.length / size };
  }
}

/** Runs all images with the named values kept. */
async function runAll(
  backend: Backend,
  source: GoldenSource,
  names: readonly string[],
  batch: number,
  newHash: () => Hash,
): Promise<Map<string, ValueRecord>> {
  const { program, numbers } = source;
  const records = new Map(names.map((name) => [name, new ValueRecord(newHash(), numbers.get(name)?.length ?? 0)]));
  const executable = await backend.compile(program, { maxBatch: batch, outputs: names });
  for (const { pixels, count } of batchesOf(source, batch)) {
    const outputs = await executable.run(pixels, { batch: count });
    for (const [name, record] of records) {
      const output = outputs[name];
      if (output !== undefined) record.add(output.data);
    }
  }
  await executable.dispose();
  for (const record of records.values()) await record.finish();
  return records;
}

/** @param batch images run at once: bounds the memory of keeping every value */
export async function runGolden(
  backend: Backend,
  source: GoldenSource,
  batch: number,
  newHash: () => Hash = sha256.create,
): Promise<GoldenRun> {
  const { program } = source;
  const names = Object.keys(program.values).filter((name) => name !== program.input);
  const records = await runAll(backend, source, names, batch, newHash);
  const alone = (await runAll(backend, source, [program.output], batch, newHash)).get(program.output);
  return { records, alone };
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

/** One thing that is compared. */
export interface Comparison {
  readonly what: string;
  /** The value whose elements the vectors do not hold, only their hash. */
  readonly hashed?: string;
  /** Undefined where there is none. */
  readonly difference: (run: GoldenRun) => string | undefined;
}

function hashComparisons(name: string, value: string, expected: TraceHash): readonly Comparison[] {
  const count = expected.shape.reduce((product, size) => product * size, 1);
  const facts = [count, expected.min, expected.max, expected.sum];
  const missing = 'the program has no such value';
  return [
    {
      what: `${name} ${value} count, min, max, sum`,
      difference: ({ records }) => {
        const record = records.get(value);
        if (record === undefined) return missing;
        return differenceOf([record.count, record.min, record.max, record.sum], facts);
      },
    },
    {
      what: `${name} ${value} sha256`,
      hashed: value,
      difference: ({ records }) => {
        const digest = records.get(value)?.digest;
        if (digest === undefined) return missing;
        return digest === expected.sha256_i64le ? undefined : 'the hash differs';
      },
    },
  ];
}

/** Everything that is compared of a source. */
export function comparisonsOf({ name, program, numbers, hashes }: GoldenSource): readonly Comparison[] {
  const { output } = program;
  const classes = program.values[output]?.shape.at(-1) ?? 1;
  const kept = (run: GoldenRun, value: string): readonly number[] => run.records.get(value)?.kept ?? [];
  const compared = [...numbers].map(([value, expected]): Comparison => {
    if (value !== output) {
      return { what: `${name} ${value}`, difference: (run) => differenceOf(kept(run, value), expected) };
    }
    // The real logits are the integers times a scale per class: at the program's one scale the order must be theirs.
    const best = winners(expected, classes);
    return {
      what: `${name} best class`,
      difference: (run) => differenceOf(winners(kept(run, value), classes), best),
    };
  });
  const hashed = Object.entries(hashes).flatMap(([value, expected]) => hashComparisons(name, value, expected));
  const alone: Comparison = {
    what: `${name} output alone`,
    difference: (run) => {
      const digest = run.alone?.digest;
      const same = digest !== undefined && digest === run.records.get(output)?.digest;
      return same ? undefined : 'the bits differ from those with every value kept';
    },
  };
  return [...compared, ...hashed, alone];
}
