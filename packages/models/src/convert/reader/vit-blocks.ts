import { IvitError } from '@ivit/program';
import type { FloatLinear, FloatNorm, FloatTensor, VitBlockWeights, VitConfig } from '../../vit/types.js';
import type { JsonObject } from './json-object.js';
import { type TensorShelf, takeFloat } from './tensor-shelf.js';
import { requireDeclared } from './vit-layout.js';
import type { BlockNames, VitNames } from './vit-names.js';

export function takeLinear(shelf: TensorShelf, name: string, n: number, k: number): FloatLinear {
  return { weight: takeFloat(shelf, `${name}.weight`, [n, k]), bias: takeFloat(shelf, `${name}.bias`, [n]) };
}

export function takeNorm(shelf: TensorShelf, name: string, dim: number): FloatNorm {
  return { weight: takeFloat(shelf, `${name}.weight`, [dim]), bias: takeFloat(shelf, `${name}.bias`, [dim]) };
}

/** Tensors one below the other. */
export function stack(parts: readonly FloatTensor[], shape: readonly number[]): FloatTensor {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { shape, data };
}

/** What every block of the model has, as the first block shows it. */
interface BlockFeatures {
  /** For each layer of `qkv`: whether it has a bias. */
  readonly biases: readonly boolean[];
  /** Which of the names of layer scales, if any. */
  readonly layerScale: number | undefined;
}

/** @throws IvitError `E_MODEL_CONFIG` where `qkv_bias` says something else. */
function readFeatures(shelf: TensorShelf, first: BlockNames, config: JsonObject): BlockFeatures {
  const biases = first.qkv.map((name) => shelf.tensors.has(`${name}.bias`));
  requireDeclared(config, 'qkv_bias', biases.includes(true), `bias of ${first.qkv[0]}`);
  const found = first.layerScales.findIndex((names) => names.some((name) => shelf.tensors.has(name)));
  return { biases, layerScale: found < 0 ? undefined : found };
}

/** One stacked layer; a part without bias gets zeros. */
function takeQkv(shelf: TensorShelf, names: BlockNames['qkv'], biases: readonly boolean[], dim: number): FloatLinear {
  const rows = (3 * dim) / names.length;
  const parts = names.map((name, index): FloatLinear => {
    const weight = takeFloat(shelf, `${name}.weight`, [rows, dim]);
    if (biases[index] === true) return { weight, bias: takeFloat(shelf, `${name}.bias`, [rows]) };
    if (!shelf.tensors.has(`${name}.bias`)) return { weight, bias: { shape: [rows], data: new Float32Array(rows) } };
    throw new IvitError('E_MODEL_MISSING_TENSOR', `${name} has a bias, the same layer of the first block has none`, {
      where: shelf.where,
      hint: 'All blocks have it or none: export the checkpoint again.',
    });
  });
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
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

/**
 * A layer whose output is multiplied by γ per channel (layer scale): γ·(W·x + b) = (γW)·x + γb, each product rounded
 * to float32 once.
 */
function takeScaled(shelf: TensorShelf, name: string, scale: string | undefined, n: number, k: number): FloatLinear {
  const { weight, bias } = takeLinear(shelf, name, n, k);
  if (scale === undefined) return { weight, bias };
  const gamma = takeFloat(shelf, scale, [n]).data;
  return {
    weight: { shape: [n, k], data: weight.data.map((w, i) => w * (gamma[Math.floor(i / k)] as number)) },
    bias: { shape: [n], data: bias.data.map((b, i) => b * (gamma[i] as number)) },
  };
}

function takeBlock(
  shelf: TensorShelf,
  names: BlockNames,
  { dim, mlpDim }: VitConfig,
  { biases, layerScale }: BlockFeatures,
): VitBlockWeights {
  const scales = layerScale === undefined ? undefined : names.layerScales[layerScale];
  return {
    norm1: takeNorm(shelf, names.norm1, dim),
    qkv: takeQkv(shelf, names.qkv, biases, dim),
    proj: takeScaled(shelf, names.proj, scales?.[0], dim, dim),
    norm2: takeNorm(shelf, names.norm2, dim),
    fc1: takeLinear(shelf, names.fc1, mlpDim, dim),
    fc2: takeScaled(shelf, names.fc2, scales?.[1], dim, mlpDim),
  };
}

/**
 * All blocks, layer scales folded into the layers in front of them and absent qkv biases as zeros.
 *
 * @throws IvitError `E_MODEL_MISSING_TENSOR` (also where blocks differ), `E_MODEL_SHAPE`, `E_MODEL_NON_FINITE`,
 *   `E_MODEL_CONFIG` (qkv_bias).
 */
export function takeBlocks(
  shelf: TensorShelf,
  names: VitNames,
  geometry: VitConfig,
  config: JsonObject,
): readonly VitBlockWeights[] {
  const features = readFeatures(shelf, names.block(0), config);
  return Array.from({ length: geometry.depth }, (_, index) => takeBlock(shelf, names.block(index), geometry, features));
}
