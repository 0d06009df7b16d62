import { createReferenceBackend } from '@ivit/backend-reference';
import { modelId, type Program, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { chooseFactors } from './factors.js';
import { NONLINEAR_CHOICES, type NonlinearChoice, nonlinearId, parseNonlinear } from './nonlinear-choice.js';
import { quantizeVit } from './quantize-vit.js';
import { logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';

const backend = createReferenceBackend();
const weights = randomVit(1);
const photos = randomPhotos(12, 16, 2);
const fresh = randomPhotos(24, 16, 77);
const refused = expect.objectContaining({ code: 'E_NONLINEAR_CHOICE' });

async function quantize(nonlinear: NonlinearChoice): Promise<Program> {
  const { program, report } = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, nonlinear });
  expect(program.provenance?.recipe).toBe(report.recipeId);
  return validate(program);
}

describe('parseNonlinear', () => {
  it('takes every name once', () => {
    expect(parseNonlinear('softmax=i-bert,gelu=shift')).toEqual({ softmax: 'i-bert', gelu: 'shift' });
    for (const [kind, names] of Object.entries(NONLINEAR_CHOICES)) {
      for (const name of names) expect(parseNonlinear(` ${kind} = ${name} `)).toEqual({ [kind]: name });
    }
  });

  it.each([
    '',
    'softmax',
    'softmax=',
    'softmax=erf',
    'toString=x',
    'gelu=exact,gelu=shift',
    'gelu=exact=1',
    'norm=ptf,',
  ])("refuses '%s'", (text) => {
    expect(() => parseNonlinear(text)).toThrowError(refused);
  });
});

describe('nonlinearId', () => {
  it('leaves defaults out and keeps one order', () => {
    expect(nonlinearId('ptq@1', undefined)).toBe('');
    expect(nonlinearId('ptq@1', { softmax: 'pow2', gelu: 'exact', norm: 'int16' })).toBe('');
    expect(nonlinearId('ptq@1', { norm: 'ptf', softmax: 'i-bert' })).toBe('+softmax=i-bert,norm=ptf');
    expect(() => nonlinearId('paper@1', { gelu: 'i-bert' })).toThrowError(refused);
    expect(nonlinearId('paper@1', { gelu: 'exact' })).toBe('');
  });
});

describe('quantizeVit with other functions', () => {
  it('gives the recipe itself for its own functions', async () => {
    const plain = await quantizeVit({ recipe: 'ptq@1', weights, photos: photos.slice(0, 2), backend });
    const named = await quantizeVit({
      recipe: 'ptq@1',
      weights,
      photos: photos.slice(0, 2),
      backend,
      nonlinear: { softmax: 'pow2', gelu: 'exact', norm: 'int16' },
    });
    expect(modelId(named.program)).toBe(modelId(plain.program));
    expect(named.program.provenance).toEqual(plain.program.provenance);
  });

  // dB on this model, from these 12 photos: 27.4, 27.6, 27.7, 28.1, 23.5, 24.0.
  it.each([
    [{ softmax: 'i-vit' }, 'ptq@1+softmax=i-vit', 25],
    [{ softmax: 'i-bert' }, 'ptq@1+softmax=i-bert', 26],
    [{ softmax: 'log2' }, 'ptq@1+softmax=log2', 18],
    [{ gelu: 'i-bert' }, 'ptq@1+gelu=i-bert', 25],
    [{ gelu: 'shift' }, 'ptq@1+gelu=shift', 25],
    [{ norm: 'ptf' }, 'ptq@1+norm=ptf', 22],
    [{ softmax: 'i-bert', gelu: 'i-bert', norm: 'ptf' }, 'ptq@1+softmax=i-bert,gelu=i-bert,norm=ptf', 22],
  ] as const)('%j', async (nonlinear, recipe, floor) => {
    const program = await quantize(nonlinear);
    expect(program.provenance?.recipe).toBe(recipe);
    expect(program.spec).toBe(recipe.includes('log2') ? 'ivit/1.1' : 'ivit/1');
    const quality = await logitQuality(backend, weights, program, fresh);
    console.log(recipe, quality);
    expect(quality).toBeGreaterThan(floor);
  });

  it('refuses names that do not exist, and paper@1 with any', async () => {
    const bad = { softmax: 'best' } as unknown as NonlinearChoice;
    await expect(quantizeVit({ recipe: 'ptq@1', weights, photos, backend, nonlinear: bad })).rejects.toThrowError(
      refused,
    );
    const paper = quantizeVit({ weights, photos, backend, recipe: 'paper@1', nonlinear: { norm: 'ptf' } });
    await expect(paper).rejects.toThrowError(refused);
  });
});

describe('chooseFactors', () => {
  // Below 0 there are 16 steps: the third channel needs them wide.
  it('gives small channels fine steps and large ones what holds them', () => {
    const x = new Float32Array(4 * 64);
    for (let i = 0; i < 64; i += 1) x.set([i / 64, i / 8, (i - 32) / 4, i * 2], 4 * i);
    const { alpha, z } = chooseFactors([x], 4, 2 ** -8);
    expect([...alpha]).toEqual([0, 0, 3, 3]);
    expect(z).toBe(-113);
  });

  it('takes a stream of zeros', () => {
    expect([...chooseFactors([new Float32Array(8)], 4, 1e-7).alpha]).toEqual([0, 0, 0, 0]);
  });

  it('goes together with accurate@1', async () => {
    const options = { nonlinear: { softmax: 'i-bert', gelu: 'shift', norm: 'ptf' }, weightBits: 6 } as const;
    const { program } = await quantizeVit({ recipe: 'accurate@1', weights, photos, backend, ...options });
    expect(program.provenance?.recipe).toBe('accurate@1+softmax=i-bert,gelu=shift,norm=ptf+weights=6');
    expect(await logitQuality(backend, weights, program, fresh)).toBeGreaterThan(15);
  });
});
