import { IvitError } from '@ivit/program';
import type { FloatTensor, VitConfig, VitWeights } from '../../vit/types.js';
import { type JsonObject, stringAt } from './json-object.js';
import {
  describeSources,
  type ModelFolder,
  openWeights,
  readConfig,
  readPreprocess,
  takePatchEmbed,
} from './model-folder.js';
import { requireAllTaken, shapeOf, type TensorShelf, takeFloat } from './tensor-shelf.js';
import { stack, takeBlocks, takeLinear, takeNorm } from './vit-blocks.js';
import { readEps, readHeads, readLabels, requirePlainVit, requireSizes } from './vit-config.js';
import { readLayout, type VitLayout } from './vit-layout.js';
import { recognizeVit, type VitNames } from './vit-names.js';

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

/** Sizes from shapes alone; heads and eps from the configuration, heads also from the caller. */
function readGeometry(
  shelf: TensorShelf,
  names: VitNames,
  config: JsonObject,
  heads: number | undefined,
): { geometry: VitConfig; layout: VitLayout } {
  const kernel = shapeOf(shelf, `${names.patchEmbed}.weight`);
  const [dim, colors, patchSize, patchWidth] = kernel;
  if (dim === undefined || patchSize === undefined || kernel.length !== 4 || colors !== 3 || patchSize !== patchWidth) {
    return badShape(`${names.patchEmbed}.weight is [${kernel.join(',')}] instead of [dim,3,patch,patch]`, shelf.where);
  }
  const layout = readLayout(shelf, names, config);
  const depth = countBlocks(shelf, names.blockPrefix);
  if (depth === 0) return badShape(`there are no blocks (${names.blockPrefix}N)`, shelf.where);
  const fc1 = shapeOf(shelf, `${names.block(0).fc1}.weight`);
  const head = shapeOf(shelf, `${layout.head}.weight`);
  const geometry = {
    imageSize: layout.side * patchSize,
    patchSize,
    dim,
    depth,
    heads: readHeads(config, dim, heads),
    mlpDim: fc1[0] ?? badShape(`${names.block(0).fc1}.weight has no dimension`, shelf.where),
    layerNormEps: readEps(config, names),
    classes: head[0] ?? badShape(`${layout.head}.weight has no dimension`, shelf.where),
    ...(layout.prefixTokens === 1 ? {} : { prefixTokens: layout.prefixTokens }),
    ...(layout.readout === 'class' ? {} : { readout: layout.readout }),
  };
  requireSizes(config, {
    image_size: geometry.imageSize,
    img_size: geometry.imageSize,
    patch_size: patchSize,
    hidden_size: dim,
    embed_dim: dim,
    num_hidden_layers: depth,
    depth,
    intermediate_size: geometry.mlpDim,
    mlp_dim: geometry.mlpDim,
    num_classes: geometry.classes,
    num_channels: 3,
    in_chans: 3,
  });
  return { geometry, layout };
}

function describeArchitecture(config: JsonObject): string | undefined {
  return stringAt(config, 'architecture') ?? stringAt(config, 'model_type');
}

/** `[P,D]`: class token, then distillation token, as many as there are. */
function takePrefix(shelf: TensorShelf, names: VitNames, prefix: number, dim: number): FloatTensor {
  const tokens = [names.classToken, names.distillationToken].slice(0, prefix);
  const rows = tokens.map((name) => takeFloat(shelf, name, [1, 1, dim]));
  return stack(rows, prefix === 1 ? [dim] : [prefix, dim]);
}

/** `[P+T,D]`, zeros for prefix tokens that have no position. */
function takePosition(shelf: TensorShelf, names: VitNames, layout: VitLayout, dim: number): FloatTensor {
  const { prefixTokens, positioned, side } = layout;
  const rows = positioned + side * side;
  const found = takeFloat(shelf, names.positionEmbedding, [1, rows, dim]).data;
  const data = new Float32Array((prefixTokens + side * side) * dim);
  data.set(found, data.length - found.length);
  return { shape: [prefixTokens + side * side, dim], data };
}

/** What no file of a checkpoint may say. */
export interface ReadVitOptions {
  /** Attention heads, where the configuration does not tell. */
  readonly heads?: number;
}

/**
 * Reads a ViT or DeiT classifier: `model.safetensors` (F32, F16, BF16 or F64) under timm or Hugging Face names, with
 * `config.json` and, where the config has no `pretrained_cfg`, `preprocessor_config.json`. With or without class token,
 * distillation token and head, position of the class token, qkv biases and layer scale; class token or mean pooling.
 *
 * Sizes come from the tensors and must agree with the configuration; heads come from the configuration or the caller,
 * or are dim/64 where dim is 192, 384, 768 or 1024. A tensor the reader does not know refuses the model rather than be
 * left out.
 *
 * @throws IvitError `E_MODEL_FILE` (no model.safetensors), `E_MODEL_UNKNOWN_ARCHITECTURE`, `E_MODEL_UNSUPPORTED`,
 * `E_MODEL_MISSING_TENSOR`, `E_MODEL_SHAPE`, `E_MODEL_NON_FINITE`, `E_MODEL_CONFIG`, and the codes of
 * `readSafetensors`.
 */
export function readVit(folder: ModelFolder, options: ReadVitOptions = {}): VitWeights {
  const config = readConfig(folder);
  const shelf = openWeights(folder);
  const names = recognizeVit(shelf, describeArchitecture(config));
  requirePlainVit(config, names);
  const { geometry, layout } = readGeometry(shelf, names, config, options.heads);
  const { dim, imageSize, classes } = geometry;
  const distillation = layout.distillationHead;
  const weights: VitWeights = {
    config: geometry,
    preprocess: readPreprocess(folder, config, imageSize),
    labels: readLabels(config, classes),
    patchEmbed: takePatchEmbed(shelf, names.patchEmbed, geometry),
    classToken: takePrefix(shelf, names, layout.prefixTokens, dim),
    positionEmbedding: takePosition(shelf, names, layout, dim),
    blocks: takeBlocks(shelf, names, geometry, config),
    norm: takeNorm(shelf, layout.norm, dim),
    head: takeLinear(shelf, layout.head, classes, dim),
    ...(distillation === undefined ? {} : { distillationHead: takeLinear(shelf, distillation, classes, dim) }),
    sources: describeSources(folder),
  };
  requireAllTaken(shelf, names.ignorable);
  return weights;
}
