import type { FloatLinear, FloatNorm, FloatTensor, VitWeights } from '@ivit/models';
import { createRandom, type Random } from '../trace/random.js';

export const DEIT_SIZES = ['tiny', 'small'] as const;
export type DeitSize = (typeof DEIT_SIZES)[number];

/** Sums of three uniform numbers: near enough to the bell shape of trained weights. */
function tensor(random: Random, shape: readonly number[], deviation: number, center = 0): FloatTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const part = (): number => random.integer(-65535, 65535);
  // The variance of one part is 65536²/3, so that of the sum is 65536².
  const data = Float32Array.from({ length: count }, () => center + (deviation * (part() + part() + part())) / 65536);
  return { shape, data };
}

/**
 * DeiT's geometry (224 pixels, patches of 16, 12 blocks, 1,000 classes) with weights that were never trained: for
 * speed, which does not depend on them, where no trained weights are at hand.
 */
export function seededDeit(size: DeitSize, seed: number): VitWeights {
  const random = createRandom(seed);
  const [dim, heads] = size === 'tiny' ? [192, 3] : [384, 6];
  const linear = (n: number, k: number): FloatLinear => ({
    weight: tensor(random, [n, k], 0.5 / Math.sqrt(k)),
    bias: tensor(random, [n], 0.02),
  });
  const norm = (): FloatNorm => ({ weight: tensor(random, [dim], 0.1, 1), bias: tensor(random, [dim], 0.02) });
  const [patchSize, imageSize, mlpDim, classes, depth] = [16, 224, 4 * dim, 1000, 12];
  return {
    config: { imageSize, patchSize, dim, depth, heads, mlpDim, layerNormEps: 1e-6, classes },
    preprocess: { resize: 256, interpolation: 'bicubic', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    labels: Array.from({ length: classes }, (_, index) => `class ${index}`),
    patchEmbed: linear(dim, patchSize * patchSize * 3),
    classToken: tensor(random, [dim], 0.02),
    positionEmbedding: tensor(random, [1 + (imageSize / patchSize) ** 2, dim], 0.02),
    blocks: Array.from({ length: depth }, () => ({
      norm1: norm(),
      qkv: linear(3 * dim, dim),
      proj: linear(dim, dim),
      norm2: norm(),
      fc1: linear(mlpDim, dim),
      fc2: linear(dim, mlpDim),
    })),
    norm: norm(),
    head: linear(classes, dim),
    sources: [{ name: `seeded ${size} ${seed}`, sha256: '0'.repeat(64) }],
  };
}
