import {
  type FloatLinear,
  type FloatNorm,
  type FloatTensor,
  prefixTokens,
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
