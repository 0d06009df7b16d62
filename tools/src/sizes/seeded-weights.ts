import {
  type FloatLinear,
  type FloatNorm,
  type FloatTensor,
  prefixTokens,
  type SwinModelConfig,
  type SwinWeights,
  swinStages,
  tokenCount,
  type VitConfig,
  type VitWeights,
} from '@ivit/models';
import { createRandomIntegers } from './random-integers.js';

/** Float tensors of seeded numbers, exact in float32 on every engine: sums of four uniforms, near a bell shape. */
export interface RandomTensors {
  tensor(shape: readonly number[], deviation: number, center?: number): FloatTensor;
  linear(n: number, k: number, gain?: number): FloatLinear;
  norm(width: number): FloatNorm;
}

export function createRandomTensors(seed: number): RandomTensors {
  const random = createRandomIntegers(seed);
  const tensor = (shape: readonly number[], deviation: number, center = 0): FloatTensor => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (let i = 0; i < data.length; i += 1) {
      const bits = random.word();
      const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510;
      data[i] = center + (deviation * sum) / 148;
    }
    return { shape, data };
  };
  return {
    tensor,
    linear: (n, k, gain = 1) => ({ weight: tensor([n, k], gain / Math.sqrt(k)), bias: tensor([n], 0.1) }),
    norm(width) {
      const weight = tensor([width], 0.2, 1);
      // Trained norms have a few channels much larger than the rest: what scale migration and row scales are for.
      for (let channel = 5; channel < width; channel += 31) weight.data[channel] = (weight.data[channel] as number) * 4;
      return { weight, bias: tensor([width], 0.2) };
    },
  };
}

/** Float weights of a ViT of any geometry, where no trained ones are at hand. */
export function seededVitWeights(config: VitConfig, seed: number): VitWeights {
  const { tensor, linear, norm } = createRandomTensors(seed);
  const { dim, mlpDim, classes, patchSize, imageSize, depth } = config;
  return {
    config,
    preprocess: {
      resize: imageSize,
      interpolation: 'bicubic',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    },
    labels: Array.from({ length: classes }, (_, index) => `class ${index}`),
    patchEmbed: linear(dim, patchSize * patchSize * 3),
    classToken: tensor([prefixTokens(config), dim], 0.5),
    positionEmbedding: tensor([tokenCount(config), dim], 0.3),
    blocks: Array.from({ length: depth }, () => ({
      norm1: norm(dim),
      qkv: linear(3 * dim, dim),
      proj: linear(dim, dim, 0.5),
      norm2: norm(dim),
      fc1: linear(mlpDim, dim),
      fc2: linear(dim, mlpDim, 0.5),
    })),
    norm: norm(dim),
    head: linear(classes, dim),
    ...(config.readout === 'distilled' ? { distillationHead: linear(classes, dim) } : {}),
    sources: [{ name: `seeded ${seed}`, sha256: '0'.repeat(64) }],
  };
}

/** Float weights of a Swin of any geometry. Position biases are as large as trained ones. */
export function seededSwinWeights(config: SwinModelConfig, seed: number): SwinWeights {
  const { tensor, linear, norm } = createRandomTensors(seed);
  const stages = swinStages(config);
  const last = stages.at(-1)?.dim ?? config.dim;
  const { imageSize, patchSize, classes } = config;
  return {
    config,
    preprocess: {
      resize: imageSize,
      interpolation: 'bicubic',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    },
    labels: Array.from({ length: classes }, (_, index) => `class ${index}`),
    patchEmbed: linear(config.dim, patchSize * patchSize * 3),
    patchNorm: norm(config.dim),
    stages: stages.map(({ dim, blocks, merges }) => ({
      blocks: blocks.map(({ heads, window }) => ({
        norm1: norm(dim),
        qkv: linear(3 * dim, dim),
        positionBias: tensor([(2 * window - 1) ** 2, heads], 1.5),
        proj: linear(dim, dim, 0.5),
        norm2: norm(dim),
        fc1: linear(4 * dim, dim),
        fc2: linear(dim, 4 * dim, 0.5),
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
    head: linear(classes, last),
    sources: [{ name: `seeded ${seed}`, sha256: '0'.repeat(64) }],
  };
}
