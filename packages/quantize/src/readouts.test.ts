import { createReferenceBackend } from '@ivit/backend-reference';
import type { VitConfig } from '@ivit/models';
import { validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { quantizeVit } from './quantize-vit.js';
import { integerLogits, logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';

const backend = createReferenceBackend();
const photos = randomPhotos(12, 16, 2);
const fresh = randomPhotos(24, 16, 77);

const VARIANTS: readonly (readonly [string, Partial<VitConfig>])[] = [
  ['distilled', { prefixTokens: 2, readout: 'distilled' }],
  ['distillation token without a head', { prefixTokens: 2 }],
  ['mean, then norm, no class token', { prefixTokens: 0, readout: 'mean-norm' }],
  ['norm, then mean, no class token', { prefixTokens: 0, readout: 'norm-mean' }],
  ['mean, then norm, beside a class token', { readout: 'mean-norm' }],
  ['norm, then mean, beside a class token', { readout: 'norm-mean' }],
];

describe.each(['ptq@1', 'accurate@1'] as const)('%s of other readouts', (recipe) => {
  it.each(VARIANTS)('%s', async (_, change) => {
    const weights = randomVit(3, change);
    const { program, report } = await quantizeVit({ recipe, weights, photos, backend });
    expect(validate(program).values[program.output]).toEqual({ dtype: 'i32', shape: [10] });
    expect(await logitQuality(backend, weights, program, fresh)).toBeGreaterThan(26);
    // What the last stage measured is what the whole program gives: the report's range holds its logits.
    const last = report.edges.at(-1);
    expect(last?.name).toBe('logits');
    const logits = (await integerLogits(backend, program, photos)).flat();
    expect(Math.min(...logits)).toBeGreaterThan((last?.min ?? 0) - 0.5);
    expect(Math.max(...logits)).toBeLessThan((last?.max ?? 0) + 0.5);
  });

  it('averages the two heads of a distilled model: with one head twice, the mean of the rows decides', async () => {
    const weights = randomVit(3, { prefixTokens: 2, readout: 'distilled' });
    const { program } = await quantizeVit({ recipe, weights, photos, backend });
    const one = { ...weights, distillationHead: { ...weights.head, weight: { ...weights.head.weight } } };
    const same = await quantizeVit({ recipe, weights: one, photos, backend });
    expect(await logitQuality(backend, one, same.program, fresh)).toBeGreaterThan(26);
    expect(await logitQuality(backend, one, program, fresh)).toBeLessThan(15);
  });

  it('refuses readouts that do not fit the tokens, and the paper recipe for them', async () => {
    const weights = randomVit(3, { readout: 'mean-norm' });
    await expect(quantizeVit({ weights, photos, backend, recipe: 'paper@1' })).rejects.toMatchObject({
      code: 'E_MODEL_UNSUPPORTED',
    });
    const classless = randomVit(3, { prefixTokens: 0 });
    await expect(quantizeVit({ recipe, weights: classless, photos, backend })).rejects.toMatchObject({
      code: 'E_WEIGHTS_SHAPE',
    });
    const headless = {
      ...randomVit(3, { prefixTokens: 2 }),
      config: { ...randomVit(3).config, prefixTokens: 2 as const, readout: 'distilled' as const },
    };
    await expect(quantizeVit({ recipe, weights: headless, photos, backend })).rejects.toMatchObject({
      code: 'E_WEIGHTS_SHAPE',
    });
  });
});
