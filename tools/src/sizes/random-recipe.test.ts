import { createCpuBackend } from '@ivit/backend-cpu';
import { createReferenceBackend } from '@ivit/backend-reference';
import { buildRecipeVit, type VitConfig } from '@ivit/models';
import { geluRampTable } from '@ivit/nonlinear/convert';
import { validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { buildSize } from './build-size.js';
import { firstDifference, logitsOf, seededImages } from './compare-backends.js';
import { randomVitRecipe } from './random-recipe.js';

const PLAIN: VitConfig = {
  imageSize: 48,
  patchSize: 16,
  dim: 48,
  depth: 3,
  heads: 3,
  mlpDim: 100,
  layerNormEps: 1e-6,
  classes: 11,
};

const VARIANTS: readonly (readonly [string, Partial<VitConfig>])[] = [
  ['a plain ViT', {}],
  ['patches of 14', { imageSize: 70, patchSize: 14 }],
  ['patches of 32', { imageSize: 96, patchSize: 32, dim: 64, heads: 1 }],
  ['a grid of 24 x 24, as at 384 pixels', { imageSize: 96, patchSize: 4, depth: 1 }],
  ['distilled', { prefixTokens: 2, readout: 'distilled' }],
  ['a distillation token without a head', { prefixTokens: 2 }],
  ['mean, then norm, no class token', { prefixTokens: 0, readout: 'mean-norm' }],
  ['mean, then norm, beside a class token', { readout: 'mean-norm' }],
  ['norm, then mean, no class token', { prefixTokens: 0, readout: 'norm-mean' }],
  ['norm, then mean, beside a class token', { readout: 'norm-mean' }],
];

describe('ViTs of seeded integers', () => {
  it.each(VARIANTS)(
    '%s: proved, alive, and equal on reference and CPU, 1 and 2 threads, batch 3',
    async (_, change) => {
      const recipe = randomVitRecipe({ ...PLAIN, ...change }, 5);
      const program = validate(buildRecipeVit(recipe, geluRampTable()));
      const pixels = seededImages(program, 9, 3);
      const { logits } = await logitsOf('reference', createReferenceBackend(), program, pixels, 3);
      // Logits that hardly vary, between classes or images, would compare equal for the wrong reason.
      const rows = [0, 1, 2].map((image) => [...logits.subarray(image * 11, image * 11 + 11)]);
      for (const row of rows) expect(Math.max(...row) - Math.min(...row)).toBeGreaterThan(4096);
      expect(rows[0]).not.toEqual(rows[1]);
      expect(rows[1]).not.toEqual(rows[2]);
      expect(Math.max(...logits.map(Math.abs))).toBeLessThan(2 ** 18);
      for (const threads of [1, 2]) {
        const fast = await logitsOf('cpu', createCpuBackend({ threads }), program, pixels, 3);
        expect(firstDifference(logits, fast.logits), `${threads} threads`).toBeUndefined();
      }
    },
  );

  it.each([
    ['shifted windows, two stages', { imageSize: 32, depths: [2, 2], heads: [2, 4] }],
    ['a window of 7 on a grid of 14, then of 7', { imageSize: 28, windowSize: 7, depths: [2, 1], heads: [1, 2] }],
    ['three stages, the last one window', { imageSize: 32, depths: [1, 2, 2], heads: [1, 2, 2] }],
  ] as const)('Swin, %s', async (_, change) => {
    const swin = { patchSize: 2, dim: 32, windowSize: 4, layerNormEps: 1e-5, classes: 11, ...change };
    const program = validate(await buildSize({ name: 'small', made: 'integers', swin }));
    const pixels = seededImages(program, 9, 3);
    const { logits } = await logitsOf('reference', createReferenceBackend(), program, pixels, 3);
    expect(new Set(logits).size).toBeGreaterThan(30);
    expect([...logits.subarray(0, 11)]).not.toEqual([...logits.subarray(11, 22)]);
    expect(Math.max(...logits.map(Math.abs))).toBeLessThan(2 ** 18);
    for (const threads of [1, 2]) {
      const fast = await logitsOf('cpu', createCpuBackend({ threads }), program, pixels, 3);
      expect(firstDifference(logits, fast.logits), `${threads} threads`).toBeUndefined();
    }
    const quantized = validate(await buildSize({ name: 'small', made: 'quantized', swin }));
    const truth = await logitsOf('reference', createReferenceBackend(), quantized, pixels, 3);
    const fast = await logitsOf('cpu', createCpuBackend({ threads: 2 }), quantized, pixels, 3);
    expect(firstDifference(truth.logits, fast.logits)).toBeUndefined();
  });

  it('changes with the seed', () => {
    const [a, b] = [5, 6].map((seed) => randomVitRecipe(PLAIN, seed).embed.weight);
    expect(a).not.toEqual(b);
  });
});
