import { createReferenceBackend } from '@ivit/backend-reference';
import type { VitWeights } from '@ivit/models';
import { validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { quantizeVit } from './quantize-vit.js';
import { withBlock, withMassiveActivations, zeroed } from './testing/changed-vit.js';
import { logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';

const backend = createReferenceBackend();
const weights = randomVit(1);
const photos = randomPhotos(12, 16, 2);

describe('models with dead parts', () => {
  const { dim, mlpDim } = weights.config;
  const cases: Record<string, VitWeights> = {
    'a LayerNorm channel with γ = β = 0': withBlock(weights, ({ norm1 }) => ({
      norm1: { weight: zeroed(norm1.weight, 3, 4), bias: zeroed(norm1.bias, 3, 4) },
    })),
    'a LayerNorm that is 0 throughout': withBlock(weights, ({ norm2 }) => ({
      norm2: { weight: zeroed(norm2.weight, 0, dim), bias: zeroed(norm2.bias, 0, dim) },
    })),
    'a column of zeros in qkv': withBlock(weights, ({ qkv }) => {
      const data = qkv.weight.data.slice();
      for (let n = 0; n < 3 * dim; n += 1) data[n * dim + 5] = 0;
      return { qkv: { ...qkv, weight: { shape: qkv.weight.shape, data } } };
    }),
    'a head without q, k and v': withBlock(weights, ({ qkv }) => {
      let { weight, bias } = qkv;
      for (const part of [0, 1, 2]) {
        const row = part * dim;
        weight = zeroed(weight, row * dim, (row + dim / 2) * dim);
        bias = zeroed(bias, row, row + dim / 2);
      }
      return { qkv: { weight, bias } };
    }),
    'attention whose output is 0': withBlock(weights, ({ qkv }) => ({
      qkv: { weight: zeroed(qkv.weight, 2 * dim * dim, 3 * dim * dim), bias: zeroed(qkv.bias, 2 * dim, 3 * dim) },
    })),
    'an MLP of zeros': withBlock(weights, ({ fc1, fc2 }) => ({
      fc1: { weight: zeroed(fc1.weight, 0, mlpDim * dim), bias: zeroed(fc1.bias, 0, mlpDim) },
      fc2: { weight: zeroed(fc2.weight, 0, mlpDim * dim), bias: zeroed(fc2.bias, 0, dim) },
    })),
    'patch weights of zeros in one channel': {
      ...weights,
      patchEmbed: { ...weights.patchEmbed, weight: zeroed(weights.patchEmbed.weight, 0, 48) },
    },
    'a residual stream of zeros': {
      ...weights,
      patchEmbed: {
        weight: zeroed(weights.patchEmbed.weight, 0, 48 * dim),
        bias: zeroed(weights.patchEmbed.bias, 0, dim),
      },
      classToken: zeroed(weights.classToken, 0, dim),
      positionEmbedding: zeroed(weights.positionEmbedding, 0, 17 * dim),
    },
    'a head of zeros': {
      ...weights,
      head: { weight: zeroed(weights.head.weight, 0, 10 * dim), bias: zeroed(weights.head.bias, 0, 10) },
    },
  };

  it.each(Object.keys(cases))('%s', async (name) => {
    const model = cases[name] as VitWeights;
    const { program } = await quantizeVit({ recipe: 'ptq@1', weights: model, photos: photos.slice(0, 4), backend });
    const executable = await backend.compile(validate(program));
    const outputs = await executable.run(new Uint8Array(16 * 16 * 3), { batch: 1 });
    expect(outputs['logits']?.data).toHaveLength(10);
    if (name === 'a head of zeros') expect([...(outputs['logits']?.data ?? [])]).toEqual(new Array(10).fill(0));
    else if (name !== 'a residual stream of zeros') {
      expect(await logitQuality(backend, model, program, photos.slice(0, 4))).toBeGreaterThan(25);
    }
  });
});

describe('unusual models and photos', () => {
  it('keeps massive activations that plain min/max loses', async () => {
    const model = withMassiveActivations(weights);
    const [ptq, paper] = [
      await quantizeVit({ recipe: 'ptq@1', weights: model, photos, backend }),
      await quantizeVit({ weights: model, photos, backend, recipe: 'paper@1' }),
    ];
    const better = await logitQuality(backend, model, ptq.program, photos);
    expect(better).toBeGreaterThan((await logitQuality(backend, model, paper.program, photos)) + 9);
  });

  it.each([
    ['one photo', randomPhotos(1, 16, 3)],
    ['black photos', [1, 2].map((i) => ({ name: `${i}.png`, sha256: '', pixels: new Uint8Array(768) }))],
  ])('takes %s', async (_, few) => {
    const { program } = await quantizeVit({ recipe: 'ptq@1', weights, photos: few, backend });
    expect(await logitQuality(backend, weights, program, few)).toBeGreaterThan(30);
  });
});
