import { createReferenceBackend } from '@ivit/backend-reference';
import { modelId } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { quantizeModel } from './quantize-model.js';
import { quantizeVit } from './quantize-vit.js';
import { quantizeSwin } from './swin/quantize-swin.js';
import { randomSwin } from './testing/random-swin.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';
import type { QuantizeOptions } from './types.js';

const backend = createReferenceBackend();

describe('quantizeModel', () => {
  it('does what the architecture asks for', async () => {
    const [vit, swin] = [randomVit(1), randomSwin(1, { depths: [1], heads: [2] })];
    const small = { backend, photos: randomPhotos(2, 16, 1) };
    const large = { backend, photos: randomPhotos(2, 32, 1) };
    const one = await quantizeModel({ model: { architecture: 'vit', weights: vit }, ...small });
    expect(modelId(one.program)).toBe(modelId((await quantizeVit({ weights: vit, ...small })).program));
    const other = await quantizeModel({ model: { architecture: 'swin', weights: swin }, ...large });
    expect(modelId(other.program)).toBe(modelId((await quantizeSwin({ weights: swin, ...large })).program));
  });

  it.each([
    ['E_RECIPE', { recipe: 'paper@1' }],
    ['E_NONLINEAR_CHOICE', { nonlinear: { softmax: 'log2' } }],
    ['E_WEIGHT_BITS', { weightBits: { 'blocks.0.qkv': 4 } }],
    ['E_SIZE_BUDGET', { sizeBudget: { bytes: 0.5, sizeOf: () => 1 } }],
  ] satisfies [string, Partial<QuantizeOptions>][])('refuses for a Swin, with %s, %j', async (code, options) => {
    const model = { architecture: 'swin', weights: randomSwin(1) } as const;
    const photos = randomPhotos(1, 32, 1);
    await expect(quantizeModel({ model, photos, backend, ...options })).rejects.toMatchObject({ code });
  });
});
