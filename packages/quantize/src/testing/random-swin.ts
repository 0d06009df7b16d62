import { type FloatLinear, type FloatNorm, type FloatTensor, type SwinWeights, swinStages } from '@ivit/models';
import { createNormal } from './random-vit.js';

const SMALL: SwinWeights['config'] = {
  imageSize: 32,
  patchSize: 2,
  dim: 16,
  depths: [2, 2],
  heads: [2, 4],
  windowSize: 4,
  layerNormEps: 1e-5,
  classes: 10,
};

/** A small Swin with random weights and, like trained ones, channels of very different size and strong position biases. */
export function randomSwin(seed: number, change: Partial<SwinWeights['config']> = {}): SwinWeights {
  const config = { ...SMALL, ...change };
  const normal = createNormal(seed);
  const tensor = (shape: readonly number[], scale: number, center = 0): FloatTensor => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => center + scale * normal()),
  });
  const linear = (n: number, k: number, gain = 1): FloatLinear => ({
    weight: tensor([n, k], gain / Math.sqrt(k)),
    bias: tensor([n], 0.1),
  });
  const norm = (n: number): FloatNorm => {
    const weight = tensor([n], 0.2, 1);
    for (let c = 3; c < n; c += 8) weight.data[c] = (weight.data[c] as number) * 4;
    return { weight, bias: tensor([n], 0.2) };
  };
  const stages = swinStages(config);
  const last = stages.at(-1)?.dim ?? config.dim;
  return {
    config,
    preprocess: { resize: config.imageSize, interpolation: 'bicubic', mean: [0.5, 0.4, 0.6], std: [0.25, 0.3, 0.2] },
    labels: Array.from({ length: config.classes }, (_, i) => `class ${i}`),
    patchEmbed: linear(config.dim, config.patchSize * config.patchSize * 3),
    patchNorm: norm(config.dim),
    stages: stages.map(({ dim, blocks, merges }) => ({
      blocks: blocks.map(({ heads, window }) => ({
        norm1: norm(dim),
        qkv: linear(3 * dim, dim, 1.2),
        positionBias: tensor([(2 * window - 1) ** 2, heads], 1.5),
        proj: linear(dim, dim),
        norm2: norm(dim),
        fc1: linear(4 * dim, dim),
        fc2: linear(dim, 4 * dim),
      })),
      ...(merges
        ? {
            merging: {
              norm: norm(4 * dim),
              reduction: {
                weight: tensor([2 * dim, 4 * dim], 0.5 / Math.sqrt(dim)),
                bias: { shape: [2 * dim], data: new Float32Array(2 * dim) },
              },
            },
          }
        : {}),
    })),
    norm: norm(last),
    head: linear(config.classes, last),
    sources: [{ name: 'random', sha256: '0'.repeat(64) }],
  };
}
