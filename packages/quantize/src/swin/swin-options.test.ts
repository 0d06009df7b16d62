import { createReferenceBackend } from '@ivit/backend-reference';
import { shiftMask, swinForward } from '@ivit/models';
import { type Program, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { createMemoryCache } from '../testing/cache.js';
import { identityOf } from '../testing/identity.js';
import { qualityAgainst } from '../testing/quality.js';
import { randomSwin, TINY } from '../testing/random-swin.js';
import { randomPhotos } from '../testing/random-vit.js';
import type { QuantizeResult, RecipeOptions } from '../types.js';
import { resolveWeightBits, swinLayers, weightBitsId } from '../weight-bits.js';
import { quantizeSwin } from './quantize-swin.js';

const backend = createReferenceBackend();
const weights = randomSwin(1, TINY);
const photos = randomPhotos(8, 16, 2);

function quantize(options: Partial<RecipeOptions>): Promise<QuantizeResult> {
  return quantizeSwin({ weights, photos, backend, ...options });
}

/** dB on the photos themselves: eight made-up ones do not show the ranges of others. */
function quality({ program }: QuantizeResult): Promise<number> {
  return qualityAgainst((pixels) => swinForward(weights, pixels), backend, program, photos);
}

describe('a Swin with other functions', () => {
  // dB on this model, whose own functions give 37.4: 37.9, 38.4, 38.2, 37.1, 34.6, 35.5.
  it.each([
    [{ softmax: 'i-vit' }, 36],
    [{ softmax: 'i-bert' }, 36],
    [{ gelu: 'i-bert' }, 36],
    [{ gelu: 'shift' }, 35],
    [{ norm: 'ptf' }, 33],
    [{ softmax: 'i-bert', gelu: 'i-bert', norm: 'ptf' }, 33],
  ] as const)('%j', async (nonlinear, floor) => {
    const result = await quantize({ nonlinear });
    const id = Object.entries(nonlinear).map(([kind, name]) => `${kind}=${name}`);
    expect(validate(result.program).provenance?.recipe).toBe(`ptq@1+${id.join(',')}`);
    expect(await quality(result)).toBeGreaterThan(floor);
  });

  it('keeps masked pairs at 0 with a table for softmax', async () => {
    const name = 'layers.0.blocks.1.attention';
    const { program } = await quantize({ nonlinear: { softmax: 'i-bert' } });
    const executable = await backend.compile(validate(program), { outputs: [`${name}.probabilities`] });
    const masked = program.ops.find((op) => op.result === `${name}.masked`);
    expect(masked?.op === 'requantize' && masked.addend?.m).toBe(-100 * 64);
    const mask = shiftMask(8, 4, 2);
    const outputs = await executable.run(photos[0]?.pixels ?? new Uint8Array(), { batch: 1 });
    const probabilities = [...(outputs[`${name}.probabilities`]?.data ?? [])];
    const [heads, pairs] = [2, 16 * 16];
    const hidden = probabilities.filter((_, i) => mask[Math.floor(i / (heads * pairs)) * pairs + (i % pairs)] === 1);
    expect(hidden).toHaveLength(heads * mask.reduce((a, b) => a + b, 0));
    expect(new Set(hidden)).toEqual(new Set([0]));
  });
});

/** Bytes of the weights alone, packed. */
function weightBytes({ constants }: Program): number {
  return Object.entries(constants)
    .filter(([name]) => name.endsWith('.weight'))
    .reduce(
      (
        sum,
        [
          ,
          {
            shape: [rows = 1, columns = 1],
            bits = 8,
          },
        ],
      ) => sum + rows * Math.ceil((columns * bits) / 8),
      0,
    );
}

describe('a Swin with fewer bits', () => {
  const layers = swinLayers(weights.config);

  it('knows its layers by name and kind', () => {
    expect(layers.filter((layer) => !layer.includes('blocks'))).toEqual([
      'embed',
      'layers.0.downsample.reduction',
      'head',
    ]);
    const mixed = resolveWeightBits(layers, { blocks: 6, fc2: 4, 'layers.0.blocks.1.fc2': 8, reduction: 5 });
    expect(mixed.get('layers.0.blocks.0.fc2')).toBe(4);
    expect(mixed.get('layers.0.blocks.1.fc2')).toBeUndefined();
    expect(mixed.get('layers.1.blocks.0.qkv')).toBe(6);
    expect(mixed.get('layers.0.downsample.reduction')).toBe(5);
    const four = resolveWeightBits(layers, 4);
    expect(four.size).toBe(3 * 4);
    expect(weightBitsId('ptq@1', layers, four)).toBe('+weights=4');
    expect(() => resolveWeightBits(layers, { 'blocks.0.qkv': 4 })).toThrow(
      expect.objectContaining({ code: 'E_WEIGHT_BITS' }),
    );
  });

  it('packs every layer that it is told to', async () => {
    const given = { blocks: 6, embed: 7, reduction: 5, head: 4, 'layers.1.blocks.0.fc1': 3 };
    const { program, report } = await quantize({ weightBits: given });
    expect(report.recipeId).toBe('ptq@1+weights=mixed');
    const bits = Object.fromEntries(Object.entries(program.constants).map(([name, entry]) => [name, entry.bits]));
    expect(bits['layers.0.blocks.0.qkv.weight']).toBe(6);
    expect(bits['layers.1.blocks.0.fc1.weight']).toBe(3);
    expect(bits['layers.0.downsample.reduction.weight']).toBe(5);
    expect([bits['embed.weight'], bits['head.weight']]).toEqual([7, 4]);
  });

  it('meets a size budget, better than with 4 bits throughout', async () => {
    const few = photos.slice(0, 4);
    const plain = await quantize({ photos: few });
    const bytes = Math.floor(0.75 * weightBytes(plain.program));
    const budget = await quantize({ photos: few, sizeBudget: { bytes, sizeOf: weightBytes } });
    expect(weightBytes(budget.program)).toBeLessThanOrEqual(bytes);
    expect(budget.report.recipeId).toBe('ptq@1+weights=mixed');
    const [eight, some, four] = [plain, budget, await quantize({ photos: few, weightBits: 4 })];
    const decibels = await Promise.all([eight, some, four].map(quality));
    expect([...decibels].sort((a, b) => b - a)).toEqual(decibels);
    const tight = quantize({ photos: photos.slice(0, 1), sizeBudget: { bytes: 10, sizeOf: weightBytes } });
    await expect(tight).rejects.toMatchObject({ code: 'E_SIZE_BUDGET' });
  });
});

describe('a Swin with changes to the recipe', () => {
  it('records them, and stays close to float', async () => {
    const changes = { rows: 'tensor', rounding: 'nearest', biasCorrection: false } as const;
    const result = await quantize({ changes });
    expect(result.report.recipeId).toBe('ptq@1+biasCorrection=false,rounding=nearest,rows=tensor');
    const decibels = await quality(result);
    expect(decibels).toBeGreaterThan(20);
    expect(decibels).toBeLessThan(36);
  });
});

describe('a Swin with a cache', () => {
  it('takes every part from it, to the byte', async () => {
    const cache = createMemoryCache();
    const few = photos.slice(0, 2);
    const seen: number[] = [];
    const once = await quantize({ photos: few, cache });
    expect(cache.entries.size).toBe(1 + 3 + 1 + 1);
    const again = await quantize({ photos: few, cache, onProgress: ({ done }) => void seen.push(done) });
    expect(cache.hits).toBe(cache.entries.size);
    expect(identityOf(again.program)).toBe(identityOf(once.program));
    expect(again.report).toEqual(once.report);
    expect(seen.at(-1)).toBe(2 * (2 + 3 * 6 + 3 + 3));
  });
});
