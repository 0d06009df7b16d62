import { readSafetensors } from '@ivit/formats/safetensors';
import { IvitError } from '@ivit/program';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type {
  FloatLinear,
  FloatNorm,
  FloatTensor,
  VitBlockWeights,
  VitConfig,
  VitPreprocess,
  VitWeights,
} from '../../vit/types.js';
import { permutePatchKernel } from '../paper/numbers.js';
import { EMPTY_OBJECT, type JsonObject, objectAt, parseJsonObject, stringAt } from './json-object.js';
import { requireAllTaken, shapeOf, type TensorShelf, takeFloat, tensorShelf } from './tensor-shelf.js';
import { readEps, readHeads, readLabels, requirePlainVit, requireSizes } from './vit-config.js';
import { type BlockNames, recognizeVit, type VitNames } from './vit-names.js';
import { readHuggingFacePreprocess, readTimmPreprocess } from './vit-preprocess.js';

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

function badShape(what: string, where: string): never {
  throw new IvitError('E_MODEL_SHAPE', what, {
    where,
    hint: 'This is no square ViT on RGB, or the checkpoint is damaged.',
  });
}

/** Blocks are numbered 0 … depth-1 without gaps; a gap shows as a missing tensor. */
function countBlocks(shelf: TensorShelf, prefix: string): number {
  let depth = 0;
  for (const name of shelf.tensors.keys()) {
    const match = name.startsWith(prefix) ? /^\d{1,4}(?=\.)/.exec(name.slice(prefix.length)) : null;
    if (match !== null) depth = Math.max(depth, Number(match[0]) + 1);
  }
  return depth;
}

/** Sizes from shapes alone; heads and eps from the configuration. */
function readGeometry(shelf: TensorShelf, names: VitNames, config: JsonObject): VitConfig {
  const kernel = shapeOf(shelf, `${names.patchEmbed}.weight`);
  const [dim, colors, patchSize, patchWidth] = kernel;
  if (dim === undefined || patchSize === undefined || kernel.length !== 4 || colors !== 3 || patchSize !== patchWidth) {
    return badShape(`${names.patchEmbed}.weight is [${kernel.join(',')}] instead of [dim,3,patch,patch]`, shelf.where);
  }
  const position = shapeOf(shelf, names.positionEmbedding);
  const rows = position[1];
  if (rows === undefined || position.length !== 3 || position[0] !== 1 || position[2] !== dim) {
    return badShape(`${names.positionEmbedding} is [${position.join(',')}] instead of [1,tokens,${dim}]`, shelf.where);
  }
  const side = Math.floor(Math.sqrt(rows - 1) + 0.5);
  if (rows < 2 || side * side !== rows - 1) {
    return badShape(
      `${names.positionEmbedding} has ${rows} rows, which is no class token and a square of patches`,
      shelf.where,
    );
  }
  const depth = countBlocks(shelf, names.blockPrefix);
  if (depth === 0) return badShape(`there are no blocks (${names.blockPrefix}N)`, shelf.where);
  const fc1 = shapeOf(shelf, `${names.block(0).fc1}.weight`);
  const head = shapeOf(shelf, `${names.head}.weight`);
  const geometry = {
    imageSize: side * patchSize,
    patchSize,
    dim,
    depth,
    heads: readHeads(config, dim),
    mlpDim: fc1[0] ?? badShape(`${names.block(0).fc1}.weight has no dimension`, shelf.where),
    layerNormEps: readEps(config, names),
    classes: head[0] ?? badShape(`${names.head}.weight has no dimension`, shelf.where),
  };
  requireSizes(config, {
    image_size: geometry.imageSize,
    patch_size: patchSize,
    hidden_size: dim,
    embed_dim: dim,
    num_hidden_layers: depth,
    depth,
    intermediate_size: geometry.mlpDim,
    mlp_dim: geometry.mlpDim,
    num_classes: geometry.classes,
    num_channels: 3,
  });
  return geometry;
}

function takeLinear(shelf: TensorShelf, name: string, n: number, k: number): FloatLinear {
  return { weight: takeFloat(shelf, `${name}.weight`, [n, k]), bias: takeFloat(shelf, `${name}.bias`, [n]) };
}

function takeNorm(shelf: TensorShelf, name: string, dim: number): FloatNorm {
  return { weight: takeFloat(shelf, `${name}.weight`, [dim]), bias: takeFloat(shelf, `${name}.bias`, [dim]) };
}

function stack(parts: readonly FloatTensor[], shape: readonly number[]): FloatTensor {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { shape, data };
}

function takeQkv(shelf: TensorShelf, names: BlockNames['qkv'], dim: number): FloatLinear {
  for (const name of names) {
    if (shelf.tensors.has(`${name}.weight`) && !shelf.tensors.has(`${name}.bias`)) {
      throw new IvitError('E_MODEL_UNSUPPORTED', `${name} has no bias`, {
        where: shelf.where,
        hint: 'ViTs with qkv_bias = false are not supported.',
      });
    }
  }
  if (names.length === 1) return takeLinear(shelf, names[0], 3 * dim, dim);
  const parts = names.map((name) => takeLinear(shelf, name, dim, dim));
  return {
    weight: stack(
      parts.map((part) => part.weight),
      [3 * dim, dim],
    ),
    bias: stack(
      parts.map((part) => part.bias),
      [3 * dim],
    ),
  };
}

/** Convolution kernel `[D,3,p,p]` to patch rows `[D,p·p·3]` in the order ky, kx, color. */
function takePatchEmbed(shelf: TensorShelf, name: string, config: VitConfig): FloatLinear {
  const { dim, patchSize } = config;
  const kernel = takeFloat(shelf, `${name}.weight`, [dim, 3, patchSize, patchSize]);
  const area = patchSize * patchSize;
  const data = permutePatchKernel(kernel.data, area);
  return { weight: { shape: [dim, area * 3], data }, bias: takeFloat(shelf, `${name}.bias`, [dim]) };
}

function takeBlock(shelf: TensorShelf, names: BlockNames, config: VitConfig): VitBlockWeights {
  const { dim, mlpDim } = config;
  return {
    norm1: takeNorm(shelf, names.norm1, dim),
    qkv: takeQkv(shelf, names.qkv, dim),
    proj: takeLinear(shelf, names.proj, dim, dim),
    norm2: takeNorm(shelf, names.norm2, dim),
    fc1: takeLinear(shelf, names.fc1, mlpDim, dim),
    fc2: takeLinear(shelf, names.fc2, dim, mlpDim),
  };
}

function readPreprocess(folder: ModelFolder, config: JsonObject, imageSize: number): VitPreprocess {
  const processor = readJson(folder, 'preprocessor_config.json');
  if (processor !== undefined) return readHuggingFacePreprocess(processor, imageSize);
  const pretrained = objectAt(config, 'pretrained_cfg');
  if (pretrained !== undefined) return readTimmPreprocess(pretrained, imageSize);
  throw new IvitError('E_MODEL_CONFIG', 'nothing says how photos are preprocessed', {
    where: folder.name,
    hint: 'Add preprocessor_config.json, or pretrained_cfg with mean and std to config.json.',
  });
}

function describeArchitecture(config: JsonObject): string | undefined {
  return stringAt(config, 'architecture') ?? stringAt(config, 'model_type');
}

/** Files whose content decides the weights record. */
const SOURCE_FILES = ['config.json', 'model.safetensors', 'preprocessor_config.json'] as const;

function describeSources(folder: ModelFolder): VitWeights['sources'] {
  return SOURCE_FILES.flatMap((name) => {
    const content = folder.files.get(name);
    return content === undefined ? [] : [{ name, sha256: bytesToHex(sha256(content)) }];
  });
}

/**
 * Reads a plain ViT or DeiT classifier: `model.safetensors` (F32, F16, BF16 or F64) under timm or Hugging Face names, with
 * `config.json` and, where the config has no `pretrained_cfg`, `preprocessor_config.json`.
 *
 * Sizes come from the tensors and must agree with the configuration; heads come from the configuration, or are dim/64
 * where dim is 192, 384, 768 or 1024. A tensor the reader does not know refuses the model rather than be left out.
 *
 * @throws IvitError `E_MODEL_FILE` (no model.safetensors), `E_MODEL_UNKNOWN_ARCHITECTURE`, `E_MODEL_DISTILLED`,
 * `E_MODEL_UNSUPPORTED`, `E_MODEL_MISSING_TENSOR`, `E_MODEL_SHAPE`, `E_MODEL_NON_FINITE`, `E_MODEL_CONFIG`, and the
 * codes of `readSafetensors`.
 */
export function readVit(folder: ModelFolder): VitWeights {
  const bytes = folder.files.get('model.safetensors');
  if (bytes === undefined) {
    throw new IvitError('E_MODEL_FILE', 'there is no model.safetensors', {
      where: folder.name,
      hint: `The folder has ${[...folder.files.keys()].join(', ') || 'no files'}; export the weights as one safetensors file.`,
    });
  }
  const config = readJson(folder, 'config.json') ?? { ...EMPTY_OBJECT, where: `${folder.name} (no config.json)` };
  const where = `${folder.name}/model.safetensors`;
  const shelf = tensorShelf(readSafetensors(bytes, { where }).tensors, where);
  const names = recognizeVit(shelf, describeArchitecture(config));
  requirePlainVit(config, names);
  const geometry = readGeometry(shelf, names, config);
  const { dim, imageSize, patchSize, classes } = geometry;
  const rows = 1 + (imageSize / patchSize) ** 2;
  const weights: VitWeights = {
    config: geometry,
    preprocess: readPreprocess(folder, config, imageSize),
    labels: readLabels(config, classes),
    patchEmbed: takePatchEmbed(shelf, names.patchEmbed, geometry),
    classToken: { shape: [dim], data: takeFloat(shelf, names.classToken, [1, 1, dim]).data },
    positionEmbedding: { shape: [rows, dim], data: takeFloat(shelf, names.positionEmbedding, [1, rows, dim]).data },
    blocks: Array.from({ length: geometry.depth }, (_, index) => takeBlock(shelf, names.block(index), geometry)),
    norm: takeNorm(shelf, names.norm, dim),
    head: takeLinear(shelf, names.head, classes, dim),
    sources: describeSources(folder),
  };
  requireAllTaken(shelf, names.ignorable);
  return weights;
}
