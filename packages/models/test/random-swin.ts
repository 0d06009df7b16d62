import { createNamedTensors, type NamedTensors } from './random.js';
import { encode, jsonBytes } from './random-vit.js';

/** Geometry of a made-up Swin. */
export interface RandomSwinShape {
  readonly imageSize: number;
  readonly patch: number;
  readonly dim: number;
  readonly depths: readonly number[];
  readonly heads: readonly number[];
  /** Side of a window, stage by stage. */
  readonly windows: readonly number[];
  readonly classes: number;
}

export const SMALL_SWIN: RandomSwinShape = {
  imageSize: 16,
  patch: 2,
  dim: 12,
  depths: [2, 2],
  heads: [2, 3],
  windows: [4, 4],
  classes: 5,
};

/** Two stages of shifted windows of 3 on grids of 12 and 6, so that bands of the mask differ in width. */
export const ODD_SWIN: RandomSwinShape = { ...SMALL_SWIN, imageSize: 24, depths: [2, 3], windows: [3, 3] };

/** Names in the original code's and old timm's order, merging at the end of its stage. */
export function randomSwinTensors(shape: RandomSwinShape, seed: number): NamedTensors {
  const { tensors, put, linear, norm } = createNamedTensors(seed);
  put('patch_embed.proj.weight', [shape.dim, 3, shape.patch, shape.patch], 0.4);
  put('patch_embed.proj.bias', [shape.dim], 0.3);
  norm('patch_embed.norm', shape.dim);
  for (const [stage, depth] of shape.depths.entries()) {
    const dim = shape.dim * 2 ** stage;
    const window = shape.windows[stage] ?? 1;
    for (let block = 0; block < depth; block += 1) {
      const name = `layers.${stage}.blocks.${block}`;
      norm(`${name}.norm1`, dim);
      put(`${name}.attn.relative_position_bias_table`, [(2 * window - 1) ** 2, shape.heads[stage] ?? 1], 2);
      linear(`${name}.attn.qkv`, 3 * dim, dim);
      linear(`${name}.attn.proj`, dim, dim);
      norm(`${name}.norm2`, dim);
      linear(`${name}.mlp.fc1`, 3 * dim, dim);
      linear(`${name}.mlp.fc2`, dim, 3 * dim);
    }
    if (stage === shape.depths.length - 1) continue;
    put(`layers.${stage}.downsample.reduction.weight`, [2 * dim, 4 * dim], 1.7 / Math.sqrt(4 * dim));
    norm(`layers.${stage}.downsample.norm`, 4 * dim);
  }
  const last = shape.dim * 2 ** (shape.depths.length - 1);
  norm('norm', last);
  linear('head', shape.classes, last);
  return tensors;
}

function renamed(tensors: NamedTensors, rules: readonly (readonly [RegExp, string])[]): NamedTensors {
  const result: NamedTensors = new Map();
  for (const [name, tensor] of tensors) {
    const rule = rules.find(([pattern]) => pattern.test(name));
    result.set(rule === undefined ? name : name.replace(rule[0], rule[1]), tensor);
  }
  return result;
}

/** The same tensors as timm has named them since 0.9: merging at the start of the next stage, `head.fc`. */
export function newTimmSwin(tensors: NamedTensors): NamedTensors {
  const result: NamedTensors = new Map();
  for (const [name, tensor] of renamed(tensors, [[/^head\./, 'head.fc.']])) {
    const merging = /^layers\.(\d+)\.downsample\.(.*)$/.exec(name);
    result.set(merging === null ? name : `layers.${Number(merging[1]) + 1}.downsample.${merging[2]}`, tensor);
  }
  return result;
}

/** The same tensors under Hugging Face names, qkv split. */
export function huggingFaceSwin(tensors: NamedTensors): NamedTensors {
  const block = 'swin.encoder.layers.$1.blocks.$2';
  const rules: readonly (readonly [RegExp, string])[] = [
    [/^patch_embed\.proj\./, 'swin.embeddings.patch_embeddings.projection.'],
    [/^patch_embed\.norm\./, 'swin.embeddings.norm.'],
    [/^layers\.(\d+)\.blocks\.(\d+)\.norm1\./, `${block}.layernorm_before.`],
    [/^layers\.(\d+)\.blocks\.(\d+)\.norm2\./, `${block}.layernorm_after.`],
    [/^layers\.(\d+)\.blocks\.(\d+)\.attn\.proj\./, `${block}.attention.output.dense.`],
    [/^layers\.(\d+)\.blocks\.(\d+)\.attn\.relative/, `${block}.attention.self.relative`],
    [/^layers\.(\d+)\.blocks\.(\d+)\.mlp\.fc1\./, `${block}.intermediate.dense.`],
    [/^layers\.(\d+)\.blocks\.(\d+)\.mlp\.fc2\./, `${block}.output.dense.`],
    [/^layers\.(\d+)\.downsample\./, 'swin.encoder.layers.$1.downsample.'],
    [/^norm\./, 'swin.layernorm.'],
    [/^head\./, 'classifier.'],
  ];
  const result: NamedTensors = new Map();
  for (const [name, tensor] of tensors) {
    const qkv = /^layers\.(\d+)\.blocks\.(\d+)\.attn\.qkv\.(weight|bias)$/.exec(name);
    if (qkv === null) continue;
    const third = tensor.data.length / 3;
    for (const [index, part] of ['query', 'key', 'value'].entries()) {
      result.set(`swin.encoder.layers.${qkv[1]}.blocks.${qkv[2]}.attention.self.${part}.${qkv[3]}`, {
        shape: [(tensor.shape[0] ?? 0) / 3, ...tensor.shape.slice(1)],
        data: tensor.data.slice(index * third, (index + 1) * third),
      });
    }
  }
  for (const [name, tensor] of renamed(tensors, rules)) if (!name.includes('.attn.qkv.')) result.set(name, tensor);
  return result;
}

export function swinConfig(shape: RandomSwinShape): Record<string, unknown> {
  return {
    architecture: 'swin_made_up',
    num_classes: shape.classes,
    pretrained_cfg: {
      input_size: [3, shape.imageSize, shape.imageSize],
      interpolation: 'bicubic',
      crop_pct: 0.9,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    },
  };
}

export function swinFolder(
  tensors: NamedTensors,
  config: unknown,
): { name: string; files: Map<string, Uint8Array<ArrayBufferLike>> } {
  return {
    name: 'made-up',
    files: new Map([
      ['model.safetensors', encode(tensors)],
      ['config.json', jsonBytes(config)],
    ]),
  };
}
