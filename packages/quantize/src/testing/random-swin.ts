import type { SwinModelConfig, SwinWeights } from '@ivit/models';
import { makeUpSwin } from '@ivit/models/~internal';
import { detailsOf, normalTensors, SIZES } from './random-vit.js';

const SMALL: SwinModelConfig = {
  imageSize: 32,
  patchSize: 2,
  dim: 16,
  depths: [2, 2],
  heads: [2, 4],
  windowSize: 4,
  layerNormEps: 1e-5,
  classes: 10,
};

/** Smaller still, with all that a Swin has: one shifted block, one merging, one window that is the grid. */
export const TINY: Partial<SwinModelConfig> = { imageSize: 16, depths: [2, 1] };

/** A small Swin with random weights and, like trained ones, channels of very different size and strong position biases. */
export function randomSwin(seed: number, change: Partial<SwinModelConfig> = {}): SwinWeights {
  const config = { ...SMALL, ...change };
  return makeUpSwin(config, normalTensors(seed), { ...SIZES, position: 1.5 }, detailsOf(config.imageSize));
}
