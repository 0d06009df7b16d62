import { createReferenceBackend } from '@ivit/backend-reference';
import { describe, expect, it } from 'vitest';
import { quantizeVit } from './quantize-vit.js';
import { withBlock } from './testing/changed-vit.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';

const backend = createReferenceBackend();
const weights = randomVit(1);
const photos = randomPhotos(12, 16, 2);

describe('bad input', () => {
  const quantize = (change: object) => quantizeVit({ recipe: 'ptq@1', weights, photos, backend, ...change });

  it('refuses no photos', async () => {
    await expect(quantize({ photos: [] })).rejects.toMatchObject({ code: 'E_CALIBRATION_EMPTY' });
  });

  it('refuses photos of another size, naming the photo', async () => {
    const bad = { name: 'wide.png', sha256: '', pixels: new Uint8Array(5) };
    await expect(quantize({ photos: [...photos, bad] })).rejects.toMatchObject({
      code: 'E_INPUT_SIZE',
      where: 'wide.png',
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses a weight of %d, naming the tensor', async (value) => {
    const model = withBlock(weights, ({ fc1 }) => {
      const data = fc1.weight.data.slice();
      data[7] = value;
      return { fc1: { ...fc1, weight: { shape: fc1.weight.shape, data } } };
    });
    await expect(quantize({ weights: model })).rejects.toMatchObject({
      code: 'E_WEIGHTS_VALUE',
      where: 'blocks.0.fc1.weight',
    });
  });

  it('refuses tensors and configurations that do not fit', async () => {
    const short = { ...weights, classToken: { shape: [3], data: new Float32Array(3) } };
    await expect(quantize({ weights: short })).rejects.toMatchObject({ code: 'E_WEIGHTS_SHAPE', where: 'classToken' });
    const config = { ...weights.config, heads: 3 };
    await expect(quantize({ weights: { ...weights, config } })).rejects.toMatchObject({ code: 'E_WEIGHTS_SHAPE' });
  });

  it('refuses a model that overflows float32 on the photos', async () => {
    const model = withBlock(weights, ({ fc2 }) => ({
      fc2: { ...fc2, weight: { shape: fc2.weight.shape, data: fc2.weight.data.map((w) => w * 1e38) } },
    }));
    await expect(quantize({ weights: model })).rejects.toMatchObject({ code: 'E_CALIBRATION_RANGE' });
  });

  it('refuses an unknown recipe', async () => {
    await expect(quantize({ recipe: 'best' })).rejects.toMatchObject({ code: 'E_RECIPE' });
  });

  it('stops at once when aborted already', async () => {
    await expect(quantize({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_ABORTED' });
    await expect(quantize({ signal: AbortSignal.abort(), recipe: 'paper@1' })).rejects.toMatchObject({
      code: 'E_ABORTED',
    });
  });
});
