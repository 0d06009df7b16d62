import { createCpuBackend } from '@ivit/backend-cpu';
import { createReferenceBackend } from '@ivit/backend-reference';
import { validate } from '@ivit/program';
import { quantizeSwin } from '@ivit/quantize';
import { describe, expect, it } from 'vitest';
import { seededPhotos } from '../determinism/seeded-vit.js';
import { firstDifference, logitsOf } from './compare-backends.js';
import { seededSwinWeights } from './seeded-weights.js';

// Rows of 12 and 24 channels, windows of 9 tokens, one shifted block: no size is a multiple of what kernels work in.
const config = {
  imageSize: 24,
  patchSize: 2,
  dim: 12,
  depths: [2, 1],
  heads: [2, 3],
  windowSize: 3,
  layerNormEps: 1e-5,
  classes: 5,
};

describe('a Swin with everything that can be chosen', () => {
  it.each([
    { recipe: 'accurate@1', nonlinear: { softmax: 'i-bert', gelu: 'i-bert', norm: 'ptf' }, weightBits: 6 },
    {
      recipe: 'accurate@2',
      nonlinear: { softmax: 'i-vit', gelu: 'shift' },
      weightBits: { fc2: 4, reduction: 3, embed: 5 },
    },
    { recipe: 'accurate@1' },
  ] as const)('%j: reference and CPU give the same integers', async (options) => {
    const weights = seededSwinWeights(config, 7);
    const photos = seededPhotos(7, 3, config.imageSize);
    const { program } = await quantizeSwin({ weights, photos, backend: createCpuBackend({ threads: 1 }), ...options });
    const valid = validate(program);
    for (const { pixels } of seededPhotos(8, 3, config.imageSize)) {
      const slow = await logitsOf('reference', createReferenceBackend(), valid, pixels, 1);
      const fast = await logitsOf('cpu', createCpuBackend({ threads: 1 }), valid, pixels, 1);
      expect(firstDifference(slow.logits, fast.logits)).toBeUndefined();
      expect(new Set(slow.logits).size).toBeGreaterThan(1);
    }
  });
});
