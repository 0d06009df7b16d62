import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProgram, writeProgram } from '@ivit/formats/program';
import { readVit, type VitWeights } from '@ivit/models';
import { IvitError, modelId } from '@ivit/program';
import { quantizeVit } from '@ivit/quantize';
import { readModelFolder } from '../accuracy/model-folder.js';
import { seededPhotos } from '../determinism/seeded-vit.js';
import { createBackend } from './backend.js';
import type { VariantTask } from './measure.js';
import { type ExportKind, exportVit } from './onnx/export-vit.js';
import { hasShared, ROOT, sharedPath } from './places.js';
import { type DeitSize, seededDeit } from './seeded-deit.js';
import type { Precision } from './statistics.js';
import { makeTinyModel } from './tiny-model.js';

/** Raised when the same name would stand for other bytes. */
const VERSION = 'v1';

export interface Variant extends VariantTask {
  readonly precision: Precision;
}

/** What is measured: one model at one batch, by name. */
export interface Subjects {
  readonly model: string;
  readonly batch: number;
  readonly variants: readonly Variant[];
}

/** Writes a file once; a killed run leaves none. */
function once(file: string, make: () => Uint8Array): string {
  if (existsSync(file)) return file;
  writeFileSync(`${file}.part`, make());
  renameSync(`${file}.part`, file);
  return file;
}

function weightsOf(size: DeitSize): VitWeights {
  if (size === 'tiny' && hasShared()) return readVit(readModelFolder(sharedPath('models/deit_tiny_patch16_224')));
  return seededDeit(size, 1);
}

function exported(cache: string, size: DeitSize, kind: ExportKind, batch: number): string {
  const folder = join(cache, 'onnx');
  mkdirSync(folder, { recursive: true });
  const source = size === 'tiny' && hasShared() ? 'trained' : 'seeded';
  const file = join(folder, `deit-${size}-${source}-${kind}-b${batch}.${VERSION}.onnx`);
  return once(file, () => exportVit(weightsOf(size), kind, batch));
}

/** A model that was never trained, quantized by the same recipe on two generated pictures: the same ops. */
async function quantizedSeeded(cache: string, size: DeitSize): Promise<string> {
  const folder = join(cache, 'models');
  const file = join(folder, `deit-${size}.seeded.${VERSION}.safetensors`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  console.error(`quantizing a seeded DeiT-${size}: once, a minute or two`);
  const weights = seededDeit(size, 1);
  const photos = seededPhotos(1, 2, weights.config.imageSize);
  const { program } = await quantizeVit({
    weights,
    photos,
    backend: await createBackend('reference', 1),
    recipe: 'ptq@1',
  });
  const { config, preprocess } = weights;
  const image = {
    resize: preprocess.resize,
    interpolation: preprocess.interpolation,
    crop: { height: config.imageSize, width: config.imageSize },
  };
  return once(file, () => writeProgram({ ...program, image }));
}

/** DeiT-Tiny as it is reported, or, without `../shared`, a seeded one. @throws IvitError E_MODEL, E_SHARED */
export async function tinyFile(cache: string, given: string | undefined): Promise<string> {
  if (given === undefined) return hasShared() ? makeTinyModel(cache) : quantizedSeeded(cache, 'tiny');
  if (!existsSync(given)) throw new IvitError('E_MODEL', 'There is no such file', { where: given });
  return given;
}

/** The int8 files of onnxruntime's own tools, where they are. */
function sharedInt8(): Array<{ name: string; file: string }> {
  if (!hasShared()) return [];
  const folder = sharedPath('peers');
  const names = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
  if (names.length === 0) {
    throw new IvitError('E_SHARED', 'The folder holds no .onnx files', { where: folder });
  }
  return names.sort().map((name) => ({ name: name.slice(0, -'.onnx'.length), file: join(folder, name) }));
}

/** Our file of a size. */
export async function oursFile(cache: string, size: DeitSize, tiny: string): Promise<string> {
  return size === 'tiny' ? tiny : quantizedSeeded(cache, size);
}

/** Ours and the peers' files of one size at one batch; what is missing is made and kept. */
export async function subjectsOf(
  cache: string,
  size: DeitSize,
  batch: number,
  tiny: string,
  engines: readonly ('ort-web' | 'ort-node')[],
): Promise<Subjects> {
  const ours = await oursFile(cache, size, tiny);
  const files: Array<{ name: string; file: string; precision: Precision }> = [
    { name: 'int8 dynamic', file: exported(cache, size, 'int8-dynamic', batch), precision: 'int8' },
    { name: 'fp32', file: exported(cache, size, 'fp32', batch), precision: 'fp32' },
  ];
  // Their batch is fixed to 1.
  if (size === 'tiny' && batch === 1) {
    files.unshift(...sharedInt8().map(({ name, file }) => ({ name, file, precision: 'int8' as const })));
  }
  return {
    model: `deit-${size}`,
    batch,
    variants: [
      { variant: 'ivit', engine: 'ivit', precision: 'integer', file: ours },
      ...engines.flatMap((engine) =>
        files.map(({ name, file, precision }) => ({ variant: `${engine} ${name}`, engine, precision, file })),
      ),
    ],
  };
}

/** Ours and the peer's float files on its WebGPU provider; its integer ops have no kernels there. */
export function webgpuSubjects(cache: string, batch: number, tiny: string): Subjects {
  const peers = (['fp32', 'fp16'] as const).map((precision): Variant => {
    const file = exported(cache, 'tiny', precision, batch);
    return { variant: `ort-webgpu ${precision}`, engine: 'ort-webgpu', precision, file };
  });
  const ours: Variant = { variant: 'ivit', engine: 'ivit', precision: 'integer', file: tiny };
  return { model: 'deit-tiny', batch, variants: [ours, ...peers] };
}

export function modelIdOf(file: string): string {
  return modelId(readProgram(new Uint8Array(readFileSync(file)), { where: file }));
}

/** A photo for the cold start: a real one where there is one, else one of the repository's. */
export function anyPhoto(): string {
  const folder = hasShared() ? sharedPath('images/imagenet') : join(ROOT, 'packages/ivit/photos');
  const [name] = readdirSync(folder)
    .filter((file) => /\.jpe?g$/i.test(file))
    .sort();
  if (name === undefined) throw new IvitError('E_BENCH', 'There is no JPEG photo', { where: folder });
  return join(folder, name);
}
