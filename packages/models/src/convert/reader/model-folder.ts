import { IvitError } from '@ivit/program';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { FloatLinear, VitPreprocess, VitWeights } from '../../vit/types.js';
import { permutePatchKernel } from '../paper/numbers.js';
import { EMPTY_OBJECT, type JsonObject, objectAt, parseJsonObject } from './json-object.js';
import { type TensorShelf, takeFloat, tensorShelf } from './tensor-shelf.js';
import { readHuggingFacePreprocess, readTimmPreprocess } from './vit-preprocess.js';
import { readWeights } from './weight-files.js';

/** A model folder in memory: file name to bytes. */
export interface ModelFolder {
  /** What errors call it. */
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

function readJson(folder: ModelFolder, file: string): JsonObject | undefined {
  const bytes = folder.files.get(file);
  return bytes === undefined ? undefined : parseJsonObject(bytes, `${folder.name}/${file}`);
}

/** `config.json`, or an empty object in its place. */
export function readConfig(folder: ModelFolder): JsonObject {
  return readJson(folder, 'config.json') ?? { ...EMPTY_OBJECT, where: `${folder.name} (no config.json)` };
}

/** @throws IvitError `E_MODEL_FILE` without weights, `E_MODEL_SHARDS`, and the codes of `@ivit/formats`. */
export function openWeights(folder: ModelFolder): TensorShelf {
  const { tensors, where } = readWeights(folder);
  return tensorShelf(tensors, where);
}

/** Convolution kernel `[D,3,p,p]` to patch rows `[D,p·p·3]` in the order ky, kx, color. */
export function takePatchEmbed(
  shelf: TensorShelf,
  name: string,
  { dim, patchSize }: { readonly dim: number; readonly patchSize: number },
): FloatLinear {
  const kernel = takeFloat(shelf, `${name}.weight`, [dim, 3, patchSize, patchSize]);
  const area = patchSize * patchSize;
  const data = permutePatchKernel(kernel.data, area);
  return { weight: { shape: [dim, area * 3], data }, bias: takeFloat(shelf, `${name}.bias`, [dim]) };
}

/** @throws IvitError `E_MODEL_CONFIG` where nothing says how photos become input, `E_MODEL_UNSUPPORTED`. */
export function readPreprocess(folder: ModelFolder, config: JsonObject, imageSize: number): VitPreprocess {
  const processor = readJson(folder, 'preprocessor_config.json');
  if (processor !== undefined) return readHuggingFacePreprocess(processor, imageSize);
  const pretrained = objectAt(config, 'pretrained_cfg');
  if (pretrained !== undefined) return readTimmPreprocess(pretrained, imageSize);
  throw new IvitError('E_MODEL_CONFIG', 'nothing says how photos are preprocessed', {
    where: folder.name,
    hint: 'Add preprocessor_config.json, or pretrained_cfg with mean and std to config.json.',
  });
}

/** Files whose content decides the weights record: configurations, and everything that may hold weights. */
export function describeSources(folder: ModelFolder): VitWeights['sources'] {
  const names = [...folder.files.keys()].filter((name) => /\.(json|safetensors|pth|pt|bin|ckpt|tar)$/i.test(name));
  return names
    .sort((a, b) => (a < b ? -1 : 1))
    .map((name) => ({ name, sha256: bytesToHex(sha256(folder.files.get(name) ?? new Uint8Array(0))) }));
}
