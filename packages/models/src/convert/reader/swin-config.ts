import { IvitError } from '@ivit/program';
import { swinStages } from '../../swin/geometry.js';
import type { SwinModelConfig } from '../../swin/types.js';
import { type JsonObject, numberAt, numbersAt, objectAt, squareAt, stringAt } from './json-object.js';
import type { SwinNames } from './swin-names.js';
import { shapeOf, type TensorShelf } from './tensor-shelf.js';

function badShape(what: string, where: string): never {
  throw new IvitError('E_MODEL_SHAPE', what, {
    where,
    hint: 'This is no Swin on square RGB images, or the checkpoint is damaged.',
  });
}

/** Blocks per stage, numbered without gaps; a gap shows as a missing tensor. */
function countBlocks(shelf: TensorShelf, { blockPattern }: SwinNames): readonly number[] {
  const depths: number[] = [];
  for (const name of shelf.tensors.keys()) {
    const match = blockPattern.exec(name);
    if (match === null) continue;
    const stage = Number(match[1]);
    depths[stage] = Math.max(depths[stage] ?? 0, Number(match[2]) + 1);
  }
  return Array.from(depths, (depth) => depth ?? 0);
}

/** Side of a window from the rows of its table, (2w-1)². */
function windowOf(shelf: TensorShelf, table: string): { window: number; heads: number } {
  const [rows = 0, heads = 0, ...others] = shapeOf(shelf, table);
  const side = Math.floor(Math.sqrt(rows) + 0.5);
  if (side * side === rows && side % 2 === 1 && heads > 0 && others.length === 0) {
    return { window: (side + 1) / 2, heads };
  }
  return badShape(`${table} is [${shapeOf(shelf, table).join(',')}] instead of [(2·window-1)²,heads]`, shelf.where);
}

/** What the configuration says the image size is, in the order of trust; sizes that contradict each other are refused. */
function declaredImageSize(config: JsonObject): number | undefined {
  const modelArgs = objectAt(config, 'model_args');
  const pretrained = objectAt(config, 'pretrained_cfg');
  const input = pretrained === undefined ? undefined : numbersAt(pretrained, 'input_size');
  const found = [
    squareAt(config, 'image_size'),
    squareAt(config, 'img_size'),
    modelArgs === undefined ? undefined : squareAt(modelArgs, 'img_size'),
    input?.[1],
  ].filter((size) => size !== undefined);
  const [first] = found;
  if (found.every((size) => size === first)) return first;
  throw new IvitError('E_MODEL_CONFIG', `the image size is said to be ${found.join(' and ')}`, {
    where: config.where,
    hint: 'Take the configuration that belongs to these weights.',
  });
}

/** From the number of windows that a saved mask has. */
function maskedImageSize(shelf: TensorShelf, names: SwinNames, window: number, patchSize: number): number | undefined {
  const mask = shelf.tensors.get(`${names.block(0, 1).norm1.replace(/\.norm1$/, '')}.attn_mask`);
  const windows = mask?.shape[0];
  return windows === undefined ? undefined : Math.floor(Math.sqrt(windows) + 0.5) * window * patchSize;
}

function readImageSize(
  shelf: TensorShelf,
  names: SwinNames,
  config: JsonObject,
  window: number,
  patchSize: number,
): number {
  const declared = declaredImageSize(config);
  const masked = maskedImageSize(shelf, names, window, patchSize);
  if (declared !== undefined && masked !== undefined && declared !== masked) {
    throw new IvitError(
      'E_MODEL_CONFIG',
      `the image size is said to be ${declared}, the masks are made for ${masked}`,
      {
        where: config.where,
        hint: 'Take the configuration that belongs to these weights.',
      },
    );
  }
  const size = declared ?? masked;
  if (size !== undefined) return size;
  throw new IvitError('E_MODEL_CONFIG', 'the image size is unknown: no tensor of a Swin tells it', {
    where: config.where,
    hint: 'Add "image_size" or pretrained_cfg with "input_size" to config.json.',
  });
}

function requireList(config: JsonObject, key: string, found: readonly number[]): void {
  const modelArgs = objectAt(config, 'model_args');
  for (const source of modelArgs === undefined ? [config] : [config, modelArgs]) {
    const declared = numbersAt(source, key);
    if (declared === undefined || declared.join(',') === found.join(',')) continue;
    throw new IvitError(
      'E_MODEL_CONFIG',
      `${key} is [${declared.join(',')}], but the tensors have [${found.join(',')}]`,
      {
        where: source.where,
        hint: 'Take the configuration that belongs to these weights.',
      },
    );
  }
}

/** timm `model_args` that only say again what the shapes say. */
const KNOWN_MODEL_ARGS: readonly string[] = [
  'img_size',
  'patch_size',
  'in_chans',
  'num_classes',
  'embed_dim',
  'depths',
  'num_heads',
  'window_size',
  'mlp_ratio',
  'qkv_bias',
  'global_pool',
];

/** @throws IvitError `E_MODEL_UNSUPPORTED` for configurations that compute something else than the shapes show. */
function requireKnown(config: JsonObject): void {
  const refuse = (what: string): never => {
    throw new IvitError('E_MODEL_UNSUPPORTED', `the configuration asks for ${what}`, {
      where: config.where,
      hint: 'Swin is supported as published: GELU, mean of the tokens, relative position biases.',
    });
  };
  const activation = stringAt(config, 'hidden_act') ?? stringAt(config, 'act_layer') ?? 'gelu';
  if (activation !== 'gelu') refuse(`the activation ${activation}`);
  const pool = stringAt(config, 'global_pool') ?? 'avg';
  if (pool !== 'avg') refuse(`global_pool ${pool}`);
  for (const key of objectAt(config, 'model_args')?.entries.keys() ?? []) {
    if (!KNOWN_MODEL_ARGS.includes(key)) refuse(`model_args.${key}`);
  }
}

/**
 * Sizes of a Swin: from shapes alone, but for the image size, which the configuration or a saved mask tells.
 *
 * @throws IvitError `E_MODEL_SHAPE`, `E_MODEL_CONFIG`, `E_MODEL_UNSUPPORTED`, `E_MODEL_MISSING_TENSOR`.
 */
export function readSwinConfig(
  shelf: TensorShelf,
  names: SwinNames,
  head: string,
  config: JsonObject,
): SwinModelConfig {
  requireKnown(config);
  const kernel = shapeOf(shelf, `${names.patchEmbed}.weight`);
  const [dim, colors, patchSize, patchWidth] = kernel;
  if (dim === undefined || patchSize === undefined || kernel.length !== 4 || colors !== 3 || patchSize !== patchWidth) {
    return badShape(`${names.patchEmbed}.weight is [${kernel.join(',')}] instead of [dim,3,patch,patch]`, shelf.where);
  }
  const depths = countBlocks(shelf, names);
  const tables = depths.map((_, stage) => windowOf(shelf, names.block(stage, 0).positionBias));
  const windowSize = tables[0]?.window ?? badShape('there are no blocks', shelf.where);
  const heads = tables.map((table) => table.heads);
  const geometry = {
    imageSize: readImageSize(shelf, names, config, windowSize, patchSize),
    patchSize,
    dim,
    depths,
    heads,
    windowSize,
    layerNormEps: numberAt(config, 'layer_norm_eps') ?? 1e-5,
    classes: shapeOf(shelf, `${head}.weight`)[0] ?? badShape(`${head}.weight has no dimension`, shelf.where),
  };
  requireList(config, 'depths', depths);
  requireList(config, 'num_heads', heads);
  for (const [stage, { blocks }] of swinStages(geometry).entries()) {
    const own = tables[stage]?.window;
    const wanted = blocks[0]?.window;
    if (own === wanted) continue;
    badShape(
      `stage ${stage} has tables for windows of ${own}, at ${geometry.imageSize} pixels they are ${wanted}`,
      shelf.where,
    );
  }
  if (!(geometry.layerNormEps > 0)) {
    throw new IvitError('E_MODEL_CONFIG', `layer_norm_eps is ${geometry.layerNormEps}`, {
      where: config.where,
      hint: 'It must be positive.',
    });
  }
  return geometry;
}
