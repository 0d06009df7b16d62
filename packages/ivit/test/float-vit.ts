import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorSource, writeSafetensors } from '@ivit/formats/safetensors';

const DIM = 16;
const DEPTH = 2;
const MLP = 32;
const PATCH = 4;
const SIZE = 16;
const CLASSES = 3;

/**
 * A small float ViT with made-up weights under timm names, as files of a model folder. `@ivit/models` has such a maker for tests of
 * its readers; packages do not reach into each other's tests.
 */
export function floatVitFiles(): Map<string, Uint8Array> {
  let state = 1;
  const tensors: TensorSource[] = [];
  const add = (name: string, shape: readonly number[], middle: number, spread: number): void => {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return middle + spread * (state / 2147483648 - 1);
    });
    tensors.push({ name, dtype: 'F32', shape, bytes: new Uint8Array(data.buffer) });
  };
  const layer = (name: string, outputs: number, inputs: readonly number[]): void => {
    const fan = inputs.reduce((product, size) => product * size, 1);
    add(`${name}.weight`, [outputs, ...inputs], 0, 1.5 / Math.sqrt(fan));
    add(`${name}.bias`, [outputs], 0, 0.2);
  };
  const norm = (name: string): void => {
    add(`${name}.weight`, [DIM], 1, 0.5);
    add(`${name}.bias`, [DIM], 0, 0.3);
  };
  layer('patch_embed.proj', DIM, [3, PATCH, PATCH]);
  add('cls_token', [1, 1, DIM], 0, 0.5);
  add('pos_embed', [1, 1 + (SIZE / PATCH) ** 2, DIM], 0, 0.5);
  for (let index = 0; index < DEPTH; index++) {
    norm(`blocks.${index}.norm1`);
    layer(`blocks.${index}.attn.qkv`, 3 * DIM, [DIM]);
    layer(`blocks.${index}.attn.proj`, DIM, [DIM]);
    norm(`blocks.${index}.norm2`);
    layer(`blocks.${index}.mlp.fc1`, MLP, [DIM]);
    layer(`blocks.${index}.mlp.fc2`, DIM, [MLP]);
  }
  norm('norm');
  layer('head', CLASSES, [DIM]);
  const config = {
    architecture: 'vit',
    image_size: SIZE,
    patch_size: PATCH,
    embed_dim: DIM,
    depth: DEPTH,
    num_heads: 2,
    mlp_dim: MLP,
    layer_norm_eps: 1e-6,
    num_classes: CLASSES,
    label_names: ['cat', 'cup', 'rocket'],
    pretrained_cfg: {
      input_size: [3, SIZE, SIZE],
      interpolation: 'bicubic',
      crop_pct: 1,
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
    },
  };
  return new Map([
    ['config.json', new TextEncoder().encode(JSON.stringify(config))],
    ['model.safetensors', writeSafetensors(tensors)],
  ]);
}

/** Writes the model folder into `parent` and returns its path. */
export async function writeFloatVit(parent: string): Promise<string> {
  const folder = join(parent, 'float-vit');
  await mkdir(folder);
  for (const [name, bytes] of floatVitFiles()) await writeFile(join(folder, name), bytes);
  return folder;
}
