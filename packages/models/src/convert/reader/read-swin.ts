import { IvitError } from '@ivit/program';
import { swinStages } from '../../swin/geometry.js';
import type { SwinBlockWeights, SwinMergingWeights, SwinWeights } from '../../swin/types.js';
import type { FloatLinear, VitPreprocess } from '../../vit/types.js';
import type { JsonObject } from './json-object.js';
import {
  describeSources,
  type ModelFolder,
  openWeights,
  readConfig,
  readPreprocess,
  takePatchEmbed,
} from './model-folder.js';
import { readSwinConfig } from './swin-config.js';
import { recognizeSwin, type SwinBlockNames, type SwinNames } from './swin-names.js';
import { requireAllTaken, shapeOf, type TensorShelf, takeFloat } from './tensor-shelf.js';
import { stack, takeLinear, takeNorm } from './vit-blocks.js';
import { readLabels } from './vit-config.js';

/** A layer whose bias may be absent, then zeros. */
function takeBiasless(shelf: TensorShelf, name: string, n: number, k: number): FloatLinear {
  const weight = takeFloat(shelf, `${name}.weight`, [n, k]);
  if (shelf.tensors.has(`${name}.bias`)) return { weight, bias: takeFloat(shelf, `${name}.bias`, [n]) };
  return { weight, bias: { shape: [n], data: new Float32Array(n) } };
}

function takeBlock(
  shelf: TensorShelf,
  names: SwinBlockNames,
  { dim, heads, window }: { readonly dim: number; readonly heads: number; readonly window: number },
): SwinBlockWeights {
  const parts = names.qkv.map((name) => takeBiasless(shelf, name, (3 * dim) / names.qkv.length, dim));
  const mlpDim = shapeOf(shelf, `${names.fc1}.weight`)[0] ?? 0;
  return {
    norm1: takeNorm(shelf, names.norm1, dim),
    qkv: {
      weight: stack(
        parts.map((part) => part.weight),
        [3 * dim, dim],
      ),
      bias: stack(
        parts.map((part) => part.bias),
        [3 * dim],
      ),
    },
    positionBias: takeFloat(shelf, names.positionBias, [(2 * window - 1) ** 2, heads]),
    proj: takeLinear(shelf, names.proj, dim, dim),
    norm2: takeNorm(shelf, names.norm2, dim),
    fc1: takeLinear(shelf, names.fc1, mlpDim, dim),
    fc2: takeLinear(shelf, names.fc2, dim, mlpDim),
  };
}

/** Merging after a stage, wherever this checkpoint's code puts it; the norm's width tells the places apart. */
function takeMerging(shelf: TensorShelf, names: SwinNames, stage: number, dim: number): SwinMergingWeights {
  const places = names.merging(stage);
  const name =
    places.find((place) => shelf.tensors.get(`${place}.norm.weight`)?.shape[0] === 4 * dim) ?? places[0] ?? '';
  return {
    norm: takeNorm(shelf, `${name}.norm`, 4 * dim),
    reduction: takeBiasless(shelf, `${name}.reduction`, 2 * dim, 4 * dim),
  };
}

function readHead(shelf: TensorShelf, names: SwinNames): string {
  const head = names.heads.find((name) => shelf.tensors.has(`${name}.weight`));
  if (head !== undefined) return head;
  throw new IvitError(
    'E_MODEL_MISSING_TENSOR',
    `the checkpoint has no tensor ${names.heads.join('.weight or ')}.weight`,
    {
      where: shelf.where,
      hint: 'Export the whole classification model, its head included.',
    },
  );
}

/**
 * Reads a Swin classifier: `model.safetensors` under timm names (merging at the end of a stage or at the start of the
 * next, `head` or `head.fc`) or Hugging Face names, with `config.json` and, where the config has no `pretrained_cfg`,
 * `preprocessor_config.json`. Window, heads, depths and channels come from shapes; the image size from the configuration
 * or a saved mask. Index tables and masks in the file are left aside and computed again.
 *
 * @throws IvitError `E_MODEL_FILE`, `E_MODEL_UNKNOWN_ARCHITECTURE`, `E_MODEL_UNSUPPORTED`, `E_MODEL_MISSING_TENSOR`,
 *   `E_MODEL_SHAPE`, `E_MODEL_NON_FINITE`, `E_MODEL_CONFIG`, and the codes of `readSafetensors`.
 */
export function readSwin(folder: ModelFolder): SwinWeights {
  const config: JsonObject = readConfig(folder);
  const shelf = openWeights(folder);
  const names = recognizeSwin(shelf);
  const head = readHead(shelf, names);
  const sizes = readSwinConfig(shelf, names, head, config);
  const stages = swinStages(sizes);
  const last = stages.at(-1)?.dim ?? sizes.dim;
  const preprocess: VitPreprocess = readPreprocess(folder, config, sizes.imageSize);
  const weights: SwinWeights = {
    config: sizes,
    preprocess,
    labels: readLabels(config, sizes.classes),
    patchEmbed: takePatchEmbed(shelf, names.patchEmbed, sizes),
    patchNorm: takeNorm(shelf, names.patchNorm, sizes.dim),
    stages: stages.map((stage, index) => ({
      blocks: stage.blocks.map((block, at) => takeBlock(shelf, names.block(index, at), block)),
      ...(stage.merges ? { merging: takeMerging(shelf, names, index, stage.dim) } : {}),
    })),
    norm: takeNorm(shelf, names.norm, last),
    head: takeLinear(shelf, head, sizes.classes, last),
    sources: describeSources(folder),
  };
  requireAllTaken(shelf, names.ignorable);
  return weights;
}
