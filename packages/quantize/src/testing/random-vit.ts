import type { VitConfig, VitWeights } from '@ivit/models';
import { makeUpVit, type TensorMaker, type WeightDetails, type WeightSizes } from '@ivit/models/~internal';
import { createRandom } from '../calibration.js';
import type { CalibrationPhoto } from '../types.js';

const SMALL: VitConfig = {
  imageSize: 16,
  patchSize: 4,
  dim: 32,
  depth: 2,
  heads: 2,
  mlpDim: 64,
  layerNormEps: 1e-6,
  classes: 10,
};

/** Roughly normal numbers (sum of four uniforms), the same on every engine. */
export function createNormal(seed: number): () => number {
  const random = createRandom(seed);
  return () => {
    let sum = 0;
    for (let i = 0; i < 4; i += 1) sum += random() / 4294967296 - 0.5;
    return sum * Math.sqrt(3);
  };
}

/** Tensors of {@link createNormal}. */
export function normalTensors(seed: number): TensorMaker {
  const normal = createNormal(seed);
  return (shape, deviation, center = 0) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => center + deviation * normal()),
  });
}

/** One norm channel in eight is four times as strong as the rest. */
export const SIZES: WeightSizes = {
  gain: 1,
  gains: { qkv: 1.2 },
  linearBias: 0.1,
  normWeight: 0.2,
  normBias: 0.2,
  position: 0.3,
  strong: [3, 8],
};

/** What made-up weights of this image size say of themselves. */
export function detailsOf(imageSize: number): WeightDetails {
  return {
    preprocess: { resize: imageSize, interpolation: 'bicubic', mean: [0.5, 0.4, 0.6], std: [0.25, 0.3, 0.2] },
    sources: [{ name: 'random', sha256: '0'.repeat(64) }],
  };
}

/** A small ViT with random weights and, like trained ones, channels of very different size. */
export function randomVit(seed: number, change: Partial<VitConfig> = {}): VitWeights {
  const config = { ...SMALL, ...change };
  return makeUpVit(config, normalTensors(seed), SIZES, detailsOf(config.imageSize));
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
