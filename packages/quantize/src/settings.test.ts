import { createReferenceBackend } from '@ivit/backend-reference';
import { validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { quantizeVit } from './quantize-vit.js';
import type { PtqSettings } from './settings.js';
import { logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';

const backend = createReferenceBackend();
const weights = randomVit(1);
const photos = randomPhotos(12, 16, 2);
const fresh = randomPhotos(12, 16, 77);

async function quality(changes: Partial<PtqSettings>): Promise<{ decibels: number; recipe: string | undefined }> {
  const { program } = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, changes });
  const decibels = await logitQuality(backend, weights, program, fresh);
  return { decibels, recipe: validate(program).provenance?.recipe };
}

const PLAIN: Partial<PtqSettings> = {
  rows: 'tensor',
  zeroPoints: false,
  migration: false,
  balance: false,
  biasCorrection: false,
  rounding: 'nearest',
};

describe('changes to a recipe', () => {
  it.each(Object.entries(PLAIN))('%s = %s is recorded, and its program stays close to float', async (name, value) => {
    const { decibels, recipe } = await quality({ [name]: value });
    expect(recipe).toBe(`ptq@1+${name}=${value}`);
    expect(decibels).toBeGreaterThan(20);
  });

  it('undone together they lose what the recipe gains', async () => {
    const { decibels, recipe } = await quality(PLAIN);
    expect(recipe).toBe(
      'ptq@1+balance=false,biasCorrection=false,migration=false,rounding=nearest,rows=tensor,zeroPoints=false',
    );
    expect((await quality({})).decibels).toBeGreaterThan(decibels + 2);
  });

  it('gives every token the same scale with rows = tensor', async () => {
    const { program } = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, changes: { rows: 'tensor' } });
    const outputs = ['blocks.0.norm1.row', 'blocks.1.gelu.row'];
    const executable = await backend.compile(validate(program), { outputs });
    const values = await executable.run(fresh[0]?.pixels ?? new Uint8Array(), { batch: 1 });
    for (const name of outputs) expect(new Set(values[name]?.data).size, name).toBe(1);
  });

  it('takes equivalent weights', async () => {
    const rotation = { stream: true, values: true, keys: true };
    const { decibels, recipe } = await quality({ rotation });
    expect(recipe).toBe('ptq@1+rotation={stream:true,values:true,keys:true}');
    expect(decibels).toBeGreaterThan(28);
  });

  it('refuses what does not go together', async () => {
    const changes: Partial<PtqSettings> = { rows: 'tensor' };
    await expect(quantizeVit({ weights, photos, backend, recipe: 'paper@1', changes })).rejects.toMatchObject({
      code: 'E_RECIPE',
    });
    await expect(quantizeVit({ weights, photos, backend, recipe: 'accurate@1', changes })).rejects.toMatchObject({
      code: 'E_RECIPE',
    });
  });
});
