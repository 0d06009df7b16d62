import type { TensorEntry } from '@ivit/formats/safetensors';
import { relativePositionIndex, type SwinConfig, shiftMask, swinStages } from '@ivit/models';
import { randomStream } from './random.js';

/** A Swin state dict as I-ViT's code would save it, of seeded random integers and plausible scales. */
export function randomPaperSwin(
  config: SwinConfig,
  { classes = 5, mlpRatio = 2, seed = 1 }: { classes?: number; mlpRatio?: number; seed?: number } = {},
): Map<string, TensorEntry> {
  const random = randomStream(seed);
  const tensors = new Map<string, TensorEntry>();
  const put = (name: string, shape: readonly number[], make: (index: number) => number): void => {
    const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, at) => make(at));
    tensors.set(name, { name, dtype: 'F32', shape, bytes: new Uint8Array(data.buffer), offset: 0 });
  };
  const scale = (name: string, value: number): void => put(`${name}.act_scaling_factor`, [], () => value);
  const integer = (reach: number): number => Math.floor(random() * (2 * reach + 1)) - reach;
  const layer = (name: string, n: number, k: number, shape: readonly number[] = [n, k], kind = 'fc', bias = true) => {
    put(`${name}.weight_integer`, shape, () => integer(127));
    put(`${name}.${kind}_scaling_factor`, [n], () => (0.5 + random()) / (127 * Math.sqrt(k)));
    if (bias) put(`${name}.bias_integer`, [n], () => integer(500));
  };
  const norm = (name: string, dim: number): void => {
    put(`${name}.bias_integer`, [dim], () => integer(2 ** 26));
    put(
      `${name}.norm_scaling_factor`,
      [dim],
      () => (Math.sqrt(dim) / 2 ** 30) * (random() < 0.1 ? -1 : 1) * (0.5 + random()),
    );
  };
  const { dim, patchSize } = config;
  scale('qact_input', 2.64 / 127);
  layer('patch_embed.proj', dim, 3 * patchSize ** 2, [dim, 3, patchSize, patchSize], 'conv');
  scale('patch_embed.qact_before_norm', 4 / 127);
  norm('patch_embed.norm', dim);
  scale('patch_embed.qact', 4 / 32767);
  scale('qact1', 4 / 32767);
  for (const [index, stage] of swinStages(config).entries()) {
    const C = stage.dim;
    for (const [at, { side, window, shift, heads }] of stage.blocks.entries()) {
      const name = `layers.${index}.blocks.${at}`;
      const tokens = window * window;
      norm(`${name}.norm1`, C);
      scale(`${name}.qact1`, 4 / 127);
      layer(`${name}.attn.qkv`, 3 * C, C);
      scale(`${name}.attn.qact1`, 4 / 127);
      scale(`${name}.attn.qact_attn1`, 6 / 127);
      scale(`${name}.attn.qact_table`, 2 / 127);
      put(`${name}.attn.relative_position_bias_table`, [(2 * window - 1) ** 2, heads], () => 4 * random() - 2);
      const pairs = relativePositionIndex(window);
      put(`${name}.attn.relative_position_index`, [tokens, tokens], (pair) => pairs[pair] as number);
      scale(`${name}.attn.qact2`, 7 / 127);
      if (shift > 0) {
        const mask = shiftMask(side, window, shift);
        put(`${name}.attn_mask`, [(side / window) ** 2, tokens, tokens], (pair) => (mask[pair] === 0 ? 0 : -100));
      }
      scale(`${name}.attn.qact3`, 3 / 127);
      layer(`${name}.attn.proj`, C, C);
      scale(`${name}.attn.qact4`, 3 / 32767);
      scale(`${name}.qact2`, 6 / 32767);
      norm(`${name}.norm2`, C);
      scale(`${name}.qact3`, 4 / 127);
      layer(`${name}.mlp.fc1`, mlpRatio * C, C);
      scale(`${name}.mlp.qact_gelu`, 4 / 127);
      scale(`${name}.mlp.qact1`, 4 / 127);
      layer(`${name}.mlp.fc2`, C, mlpRatio * C);
      scale(`${name}.mlp.qact2`, 3 / 32767);
      scale(`${name}.qact4`, 8 / 32767);
    }
    if (!stage.merges) continue;
    const name = `layers.${index}.downsample`;
    norm(`${name}.norm`, 4 * C);
    scale(`${name}.qact1`, 4 / 127);
    layer(`${name}.reduction`, 2 * C, 4 * C, [2 * C, 4 * C], 'fc', false);
    scale(`${name}.qact2`, 4 / 127);
  }
  const last = dim * 2 ** (config.depths.length - 1);
  norm('norm', last);
  scale('qact2', 4 / 127);
  scale('qact3', 3 / 127);
  layer('head', classes, last);
  return tensors;
}
