import {
  type FloatLinear,
  type FloatNorm,
  type FloatTensor,
  prefixTokens,
  tokenCount,
  type VitWeights,
} from '@ivit/models';
import { createRandom } from '../calibration.js';
import type { CalibrationPhoto } from '../types.js';

/** Roughly normal numbers (sum of four uniforms), the same on every engine. */
export function createNormal(seed: number): () => number {
  const random = createRandom(seed);
  return () => {
    let sum = 0;
    for (let i = 0; i < 4; i += 1) sum += random() / 4294967296 - 0.5;
    return sum * Math.sqrt(3);
  };
}

/** A small ViT with random weights and, like trained ones, channels of very different size. */
export function randomVit(seed: number, change: Partial<VitWeights['config']> = {}): VitWeights {
  const config: VitWeights['config'] = {
    imageSize: 16,
    patchSize: 4,
    dim: 32,
    depth: 2,
    heads: 2,
    mlpDim: 64,
    layerNormEps: 1e-6,
    classes: 10,
    ...change,
  };
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
    // One channel in eight is four times as strong: what scale migration and row scales are for.
    for (let c = 3; c < n; c += 8) weight.data[c] = (weight.data[c] as number) * 4;
    return { weight, bias: tensor([n], 0.2) };
  };
  const { dim, mlpDim, classes, patchSize } = config;
  const prefix = prefixTokens(config);
  return {
    config,
    preprocess: { resize: config.imageSize, interpolation: 'bicubic', mean: [0.5, 0.4, 0.6], std: [0.25, 0.3, 0.2] },
    labels: Array.from({ length: classes }, (_, i) => `class ${i}`),
    patchEmbed: linear(dim, patchSize * patchSize * 3),
    classToken: tensor([prefix * dim], 0.5),
    positionEmbedding: tensor([tokenCount(config), dim], 0.3),
    blocks: Array.from({ length: config.depth }, () => ({
      norm1: norm(dim),
      qkv: linear(3 * dim, dim, 1.2),
      proj: linear(dim, dim),
      norm2: norm(dim),
      fc1: linear(mlpDim, dim),
      fc2: linear(dim, mlpDim),
    })),
    norm: norm(dim),
    head: linear(classes, dim),
    ...(config.readout === 'distilled' ? { distillationHead: linear(classes, dim) } : {}),
    sources: [{ name: 'random', sha256: '0'.repeat(64) }],
  };
}

/** Photos of smooth gradients with noise; the sha256 is made up. */
export function randomPhotos(count: number, side: number, seed: number): CalibrationPhoto[] {
  const random = createRandom(seed);
  const next = (range: number): number => random() % range;
  return Array.from({ length: count }, (_, index) => {
    const pixels = new Uint8Array(side * side * 3);
    const slopes = [0, 1, 2].map(() => [next(256), next(13) - 6, next(13) - 6] as const);
    for (let i = 0; i < pixels.length; i += 1) {
      const [base, dx, dy] = slopes[i % 3] as readonly [number, number, number];
      const at = Math.floor(i / 3);
      const value = base + dx * (at % side) + dy * Math.floor(at / side) + next(41) - 20;
      pixels[i] = Math.max(0, Math.min(255, value));
    }
    return { name: `photo-${index}.png`, sha256: String(index).padStart(64, '0'), pixels };
  });
}
