import { IvitError } from '@ivit/program';
import type { VitReadout } from '../../vit/types.js';
import { booleanAt, type JsonObject, objectAt, stringAt } from './json-object.js';
import { shapeOf, type TensorShelf } from './tensor-shelf.js';
import type { VitNames } from './vit-names.js';

/** Which tokens a checkpoint has and what its classifier reads. */
export interface VitLayout {
  readonly prefixTokens: 0 | 1 | 2;
  /** Prefix tokens that have a row of the position embedding: all of them or none. */
  readonly positioned: 0 | 1 | 2;
  /** Patches along one side. */
  readonly side: number;
  readonly readout: VitReadout;
  /** Module of the final norm. */
  readonly norm: string;
  readonly head: string;
  readonly distillationHead?: string;
}

/** What the configuration says under `key`, or inside `model_args`. */
function declared<Value>(
  config: JsonObject,
  key: string,
  read: (object: JsonObject, key: string) => Value | undefined,
): Value | undefined {
  const modelArgs = objectAt(config, 'model_args');
  return read(config, key) ?? (modelArgs === undefined ? undefined : read(modelArgs, key));
}

function contradicts(config: JsonObject, what: string): never {
  throw new IvitError('E_MODEL_CONFIG', what, {
    where: config.where,
    hint: 'Take the configuration that belongs to these weights.',
  });
}

/**
 * @throws IvitError `E_MODEL_CONFIG` where a setting of the configuration contradicts what the tensors show.
 */
export function requireDeclared(config: JsonObject, key: string, found: boolean, tensor: string): void {
  const wanted = declared(config, key, booleanAt);
  if (wanted === undefined || wanted === found) return;
  contradicts(config, `${key} is ${wanted}, but the checkpoint has ${found ? '' : 'no '}${tensor}`);
}

function readPrefix(shelf: TensorShelf, names: VitNames): 0 | 1 | 2 {
  const has = (name: string): boolean => shelf.tensors.has(name);
  if (has(names.distillationToken)) {
    shapeOf(shelf, names.classToken);
    return 2;
  }
  return has(names.classToken) ? 1 : 0;
}

function squareRoot(count: number): number | undefined {
  const side = Math.floor(Math.sqrt(Math.max(count, 0)) + 0.5);
  return side > 0 && side * side === count ? side : undefined;
}

/** Rows of the position embedding are the patches of a square image, with or without the prefix tokens. */
function readGrid(shelf: TensorShelf, names: VitNames, prefix: 0 | 1 | 2): Pick<VitLayout, 'positioned' | 'side'> {
  const shape = shapeOf(shelf, names.positionEmbedding);
  const rows = shape.length === 3 && shape[0] === 1 ? (shape[1] ?? 0) : 0;
  // No two squares differ by 1 or 2, so that at most one reading fits.
  const all = squareRoot(rows - prefix);
  if (all !== undefined) return { positioned: prefix, side: all };
  const patches = squareRoot(rows);
  if (patches !== undefined) return { positioned: 0, side: patches };
  const tokens = ['no token', 'a class token', 'a class and a distillation token'][prefix];
  throw new IvitError(
    'E_MODEL_SHAPE',
    `${names.positionEmbedding} is [${shape.join(',')}]: its rows are no square of patches, with or without ${tokens}`,
    { where: shelf.where, hint: 'Models of square images are supported.' },
  );
}

/** Token or mean, before or after the norm: timm's `global_pool` together with the tensors. */
function readPooling(
  shelf: TensorShelf,
  names: VitNames,
  config: JsonObject,
  prefix: 0 | 1 | 2,
): Pick<VitLayout, 'readout' | 'norm'> {
  const { pooledNorm } = names;
  const hasPooled = pooledNorm !== undefined && shelf.tensors.has(`${pooledNorm}.weight`);
  const norm = hasPooled ? pooledNorm : names.norm;
  const pool = declared(config, 'global_pool', stringAt);
  if (pool !== undefined && pool !== 'token' && pool !== 'avg') {
    throw new IvitError('E_MODEL_UNSUPPORTED', `the configuration asks for global_pool ${pool}`, {
      where: config.where,
      hint: 'The class token ("token") and the mean of the patches ("avg") are supported.',
    });
  }
  const mean: Pick<VitLayout, 'readout' | 'norm'> = { readout: hasPooled ? 'mean-norm' : 'norm-mean', norm };
  if (prefix === 0) {
    if (pool === 'token') contradicts(config, `global_pool is token, but there is no tensor ${names.classToken}`);
    if (names.family === 'timm') return mean;
    throw new IvitError('E_MODEL_MISSING_TENSOR', `the checkpoint has no tensor ${names.classToken}`, {
      where: shelf.where,
      hint: 'Under Hugging Face names every ViT classifier reads its class token.',
    });
  }
  if (pool === undefined && hasPooled) {
    throw new IvitError(
      'E_MODEL_CONFIG',
      `the checkpoint has ${names.classToken} and ${pooledNorm}: nothing says which of class token and mean is read`,
      { where: config.where, hint: 'Add "global_pool": "avg" (or "token") to config.json.' },
    );
  }
  return pool === 'avg' && names.family === 'timm' ? mean : { readout: 'class', norm };
}

/**
 * Tokens, position rows, final norm and heads of a checkpoint.
 *
 * @throws IvitError `E_MODEL_SHAPE` (position embedding of no square), `E_MODEL_CONFIG` (ambiguous or contradicted),
 *   `E_MODEL_UNSUPPORTED`, `E_MODEL_MISSING_TENSOR`.
 */
export function readLayout(shelf: TensorShelf, names: VitNames, config: JsonObject): VitLayout {
  const prefix = readPrefix(shelf, names);
  const grid = readGrid(shelf, names, prefix);
  const pooling = readPooling(shelf, names, config, prefix);
  requireDeclared(config, 'class_token', prefix > 0, names.classToken);
  if (prefix > 0) requireDeclared(config, 'no_embed_class', grid.positioned === 0, 'a position without class token');
  const layout = { prefixTokens: prefix, ...grid };
  const [first, second] = names.distilledHeads;
  const has = (name: string): boolean => shelf.tensors.has(`${name}.weight`);
  // timm's distilled model always has two heads; under Hugging Face names one of its two classifiers has one.
  const distilled = has(second) || (first !== names.head && has(first)) || (prefix === 2 && names.family === 'timm');
  if (!distilled) return { ...layout, ...pooling, head: names.head };
  if (prefix < 2) shapeOf(shelf, names.distillationToken);
  if (pooling.readout !== 'class') {
    throw new IvitError('E_MODEL_UNSUPPORTED', 'a distilled model that averages its tokens', {
      where: config.where,
      hint: 'Distilled models read their class and distillation tokens.',
    });
  }
  return { ...layout, readout: 'distilled', norm: pooling.norm, head: first, distillationHead: second };
}
