import { readSafetensors, type TensorEntry } from '@ivit/formats/safetensors';
import { readTorch } from '@ivit/formats/torch';
import { IvitError } from '@ivit/program';
import { type JsonObject, objectAt, parseJsonObject, stringAt } from './json-object.js';

/** Index of weights in several safetensors files, as Hugging Face names it. */
export const INDEX_FILE = 'model.safetensors.index.json';

const WHOLE = 'model.safetensors';
const SAFETENSORS = /\.safetensors$/i;
const TORCH = /\.(pth|pt|bin|ckpt|tar)$/i;

/** Weights of a model folder: the tensors, and the files that they came from. */
export interface Weights {
  /** What errors call them. */
  readonly where: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly files: readonly string[];
}

/** Tensors of one file: safetensors, or a checkpoint of `torch.save`. */
export function readWeightFile(bytes: Uint8Array, name: string, where: string): ReadonlyMap<string, TensorEntry> {
  return SAFETENSORS.test(name) ? readSafetensors(bytes, { where }).tensors : readTorch(bytes, { where }).tensors;
}

function badIndex(where: string, message: string, hint: string): never {
  throw new IvitError('E_MODEL_SHARDS', message, { where, hint });
}

function readWeightMap(index: Uint8Array, where: string): JsonObject {
  const map = objectAt(parseJsonObject(index, where), 'weight_map');
  return map ?? badIndex(where, 'there is no weight_map', 'Take the index that was published with the weights.');
}

/**
 * Names of the files of an index, each once: plain names of safetensors files in the same folder.
 *
 * @throws IvitError `E_MODEL_CONFIG`, `E_MODEL_SHARDS`
 */
export function shardNames(index: Uint8Array, where: string): readonly string[] {
  const map = readWeightMap(index, where);
  const names = new Set<string>();
  for (const tensor of map.entries.keys()) {
    const name = stringAt(map, tensor) ?? '';
    if (!/^[A-Za-z0-9_][\w.-]{0,200}\.safetensors$/.test(name)) {
      const hint = 'Shards are safetensors files beside the index; do not trust an index that leaves its folder.';
      badIndex(where, `the tensor ${tensor} is said to be in ${JSON.stringify(name)}`, hint);
    }
    names.add(name);
  }
  return [...names].sort();
}

/** Every tensor of the index from the file it names; no tensor missing, in two files, or left out of the index. */
function readShards(files: ReadonlyMap<string, Uint8Array>, folder: string): Weights {
  const where = `${folder}/${INDEX_FILE}`;
  const index = files.get(INDEX_FILE) ?? new Uint8Array(0);
  const map = readWeightMap(index, where);
  const names = shardNames(index, where);
  const tensors = new Map<string, TensorEntry>();
  for (const name of names) {
    const bytes = files.get(name) ?? badIndex(where, `the folder has no ${name}`, 'Download every shard.');
    for (const [tensor, entry] of readSafetensors(bytes, { where: `${folder}/${name}` }).tensors) {
      const owner = map.entries.get(tensor);
      const same = 'The shards do not belong together, or not to this index: get all of them again.';
      if (tensors.has(tensor)) badIndex(`${folder}/${name}`, `the tensor ${tensor} is in another shard too`, same);
      if (owner !== name) {
        const said = owner === undefined ? 'not in the index' : `in ${String(owner)} by the index`;
        badIndex(`${folder}/${name}`, `the tensor ${tensor} is here, but ${said}`, same);
      }
      tensors.set(tensor, entry);
    }
  }
  for (const tensor of map.entries.keys()) {
    if (tensors.has(tensor)) continue;
    badIndex(where, `the shard ${stringAt(map, tensor)} has no tensor ${tensor}`, 'Get the shards again.');
  }
  return { where, tensors, files: [INDEX_FILE, ...names] };
}

/**
 * The weights among the files of a folder: `model.safetensors`, or the shards of `model.safetensors.index.json`, or the only
 * safetensors file or torch checkpoint there is.
 *
 * @throws IvitError `E_MODEL_FILE`, `E_MODEL_SHARDS`, `E_MODEL_CONFIG`, and the codes of `@ivit/formats`.
 */
export function readWeights(folder: {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}): Weights {
  const { name, files } = folder;
  const names = [...files.keys()];
  if (!files.has(WHOLE) && files.has(INDEX_FILE)) return readShards(files, name);
  const candidates = names.filter((file) => SAFETENSORS.test(file) || TORCH.test(file));
  const file = files.has(WHOLE) ? WHOLE : candidates.length === 1 ? candidates[0] : undefined;
  const bytes = file === undefined ? undefined : files.get(file);
  if (file === undefined || bytes === undefined) {
    throw new IvitError('E_MODEL_FILE', `there is no ${WHOLE}`, {
      where: name,
      hint:
        candidates.length > 1
          ? `Name one of ${candidates.join(', ')}.`
          : `The folder has ${names.join(', ') || 'no files'}; export the weights as one safetensors file or torch checkpoint.`,
    });
  }
  const where = `${name}/${file}`;
  return { where, tensors: readWeightFile(bytes, file, where), files: [file] };
}
