import { createRandom } from '@ivit/backend-testkit';
import type { VitWeights } from '@ivit/models';
import { makeUpVit, type TensorMaker } from '@ivit/models/~internal';

export const DEIT_SIZES = ['tiny', 'small'] as const;
export type DeitSize = (typeof DEIT_SIZES)[number];

/** Sums of three uniform numbers: near enough to the bell shape of trained weights. */
function bellTensors(seed: number): TensorMaker {
  const random = createRandom(seed);
  const part = (): number => random.integer(-65535, 65535);
  return (shape, deviation, center = 0) => {
    const count = shape.reduce((product, size) => product * size, 1);
    // The variance of one part is 65536²/3, so that of the sum is 65536².
    const data = Float32Array.from({ length: count }, () => center + (deviation * (part() + part() + part())) / 65536);
    return { shape, data };
  };
}

/**
 * DeiT's geometry (224 pixels, patches of 16, 12 blocks, 1,000 classes) with weights that were never trained: for
 * speed, which does not depend on them, where no trained weights are at hand.
 */
export function seededDeit(size: DeitSize, seed: number): VitWeights {
  const [dim, heads] = size === 'tiny' ? [192, 3] : [384, 6];
  const config = { imageSize: 224, patchSize: 16, dim, depth: 12, heads, mlpDim: 4 * dim, layerNormEps: 1e-6 };
  const sizes = { gain: 0.5, linearBias: 0.02, normWeight: 0.1, normBias: 0.02, token: 0.02, position: 0.02 };
  return makeUpVit({ ...config, classes: 1000 }, bellTensors(seed), sizes, {
    preprocess: { resize: 256, interpolation: 'bicubic', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    sources: [{ name: `seeded ${size} ${seed}`, sha256: '0'.repeat(64) }],
  });
}
