import { type TensorSource, writeSafetensors } from '@ivit/formats/safetensors';
import { createNamedTensors, type NamedTensors } from './random.js';

/** Geometry of a made-up ViT. */
export interface RandomVitShape {
  readonly patch: number;
  readonly side: number;
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlp: number;
  readonly classes: number;
}

export const SMALL_SHAPE: RandomVitShape = { patch: 4, side: 3, dim: 12, depth: 2, heads: 3, mlp: 20, classes: 5 };

/** What a made-up ViT has beside the plain one's tensors, or lacks. */
export interface RandomVitFeatures {
  /** Tokens in front of the patches; default one, the class token. */
  readonly tokens?: 0 | 1 | 2;
  /** Whether those have a position; default true. */
  readonly positioned?: boolean;
  /** Name of the final norm; default `norm`. */
  readonly norm?: 'norm' | 'fc_norm';
  /** Default true. */
  readonly qkvBias?: boolean;
  /** Under which names; default none. */
  readonly layerScale?: 'ls' | 'gamma';
}

/** Seeded weights under timm names. */
export function randomTimmTensors(shape: RandomVitShape, seed: number, features: RandomVitFeatures = {}): NamedTensors {
  const { tokens: prefix = 1, positioned = true, qkvBias = true, layerScale } = features;
  const { tensors, put, linear, norm } = createNamedTensors(seed);
  if (prefix > 0) put('cls_token', [1, 1, shape.dim], 0.5);
  if (prefix > 1) put('dist_token', [1, 1, shape.dim], 0.5);
  put('pos_embed', [1, (positioned ? prefix : 0) + shape.side ** 2, shape.dim], 0.5);
  put('patch_embed.proj.weight', [shape.dim, 3, shape.patch, shape.patch], 0.3);
  put('patch_embed.proj.bias', [shape.dim], 0.3);
  for (let index = 0; index < shape.depth; index += 1) {
    norm(`blocks.${index}.norm1`, shape.dim);
    linear(`blocks.${index}.attn.qkv`, 3 * shape.dim, shape.dim);
    if (!qkvBias) tensors.delete(`blocks.${index}.attn.qkv.bias`);
    linear(`blocks.${index}.attn.proj`, shape.dim, shape.dim);
    norm(`blocks.${index}.norm2`, shape.dim);
    linear(`blocks.${index}.mlp.fc1`, shape.mlp, shape.dim);
    linear(`blocks.${index}.mlp.fc2`, shape.dim, shape.mlp);
    for (const half of [1, 2]) {
      if (layerScale === 'ls') put(`blocks.${index}.ls${half}.gamma`, [shape.dim], 0.6, 0.3);
      if (layerScale === 'gamma') put(`blocks.${index}.gamma_${half}`, [shape.dim], 0.6, 0.3);
    }
  }
  norm(features.norm ?? 'norm', shape.dim);
  linear('head', shape.classes, shape.dim);
  if (prefix > 1) linear('head_dist', shape.classes, shape.dim);
  return tensors;
}

export function timmConfig(shape: RandomVitShape): Record<string, unknown> {
  return {
    architecture: 'vit_made_up',
    num_heads: shape.heads,
    num_classes: shape.classes,
    label_names: Array.from({ length: shape.classes }, (_, index) => `label ${index}`),
    pretrained_cfg: {
      input_size: [3, shape.patch * shape.side, shape.patch * shape.side],
      interpolation: 'bicubic',
      crop_pct: 0.9,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    },
  };
}

/** Float32 tensors as a safetensors file, in one of the float types. */
export function encode(tensors: NamedTensors, dtype: 'F32' | 'BF16' = 'F32'): Uint8Array {
  const sources: TensorSource[] = [];
  for (const [name, tensor] of tensors) {
    const bytes = new Uint8Array(tensor.data.slice().buffer);
    // The upper half of each little-endian float32.
    const kept = dtype === 'F32' ? bytes : bytes.filter((_, index) => index % 4 >= 2);
    sources.push({ name, dtype, shape: tensor.shape, bytes: kept });
  }
  return writeSafetensors(sources);
}

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export function timmFolder(
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
