import { createReferenceBackend } from '@ivit/backend-reference';
import { modelId, type Program, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { roundGptq } from './gptq.js';
import { roundNarrow, roundWeights } from './gptq-narrow.js';
import { addColumns, createMoments } from './hessian.js';
import { quantizeVit } from './quantize-vit.js';
import { chooseBits, energyOf } from './sensitivity.js';
import { logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';
import { resolveWeightBits, vitLayers, weightBitsId } from './weight-bits.js';

const backend = createReferenceBackend();
const weights = randomVit(1);
const { config } = weights;
const layers = vitLayers(config);
const photos = randomPhotos(12, 16, 2);
const fresh = randomPhotos(24, 16, 77);
const refused = expect.objectContaining({ code: 'E_WEIGHT_BITS' });

/** Bytes of the weights alone, packed. */
function weightBytes({ constants }: Program): number {
  const sizes = Object.entries(constants).map(([name, { shape, bits = 8 }]) =>
    name.endsWith('.weight') ? (shape[0] as number) * Math.ceil(((shape[1] as number) * bits) / 8) : 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('resolveWeightBits', () => {
  it('takes a number for the blocks, and the most particular name', () => {
    expect([...resolveWeightBits(layers, undefined)]).toEqual([]);
    expect([...resolveWeightBits(layers, 8)]).toEqual([]);
    expect(resolveWeightBits(layers, 4).size).toBe(4 * config.depth);
    const mixed = resolveWeightBits(layers, { blocks: 6, fc2: 4, 'blocks.0.fc2': 8, head: 5 });
    expect(mixed.get('blocks.0.qkv')).toBe(6);
    expect(mixed.get('blocks.0.fc2')).toBeUndefined();
    expect(mixed.get('blocks.1.fc2')).toBe(4);
    expect([mixed.get('head'), mixed.get('embed')]).toEqual([5, undefined]);
    expect(weightBitsId('ptq@1', layers, mixed)).toBe('+weights=mixed');
    expect(weightBitsId('ptq@1', layers, resolveWeightBits(layers, 4))).toBe('+weights=4');
    expect(weightBitsId('ptq@1', layers, resolveWeightBits(layers, { blocks: 4, head: 4 }))).toBe('+weights=mixed');
    expect(weightBitsId('paper@1', layers, new Map())).toBe('');
  });

  it('refuses what no layer has', () => {
    for (const bits of [1, 9, 4.5, Number.NaN]) expect(() => resolveWeightBits(layers, bits)).toThrowError(refused);
    for (const name of ['block', 'blocks.2.qkv', 'toString', 'blocks.0', '']) {
      expect(() => resolveWeightBits(layers, { [name]: 4 })).toThrowError(refused);
    }
    expect(() => weightBitsId('paper@1', layers, resolveWeightBits(layers, 4))).toThrowError(refused);
  });
});

describe('roundNarrow', () => {
  const [rows, size, count] = [6, 24, 200];
  const draw = (i: number): number => ((Math.imul(i + 1, 0x9e3779b1) >>> 0) / 2 ** 32 - 0.5) * (1 + (i % 5));
  const moments = createMoments(size);
  const columns = Float64Array.from({ length: size * count }, (_, i) => draw(i) + draw(i % count));
  addColumns(moments, columns, count);
  const matrix = Float64Array.from({ length: rows * size }, (_, i) => draw(i + 7777));

  /** tr(E·H·Eᵀ) with the damping that GPTQ adds, from the definition. */
  function lossOf(weight: Int8Array, scale: Float64Array): number {
    const h = (i: number, j: number): number => moments.products[Math.max(i, j) * size + Math.min(i, j)] as number;
    let damping = 0;
    for (let i = 0; i < size; i += 1) damping += (0.01 * h(i, i)) / size;
    let sum = 0;
    for (let n = 0; n < rows; n += 1) {
      const e = (k: number): number =>
        (matrix[n * size + k] as number) - (weight[n * size + k] as number) * (scale[n] as number);
      for (let i = 0; i < size; i += 1) {
        for (let j = 0; j < size; j += 1) sum += e(i) * e(j) * (h(i, j) + (i === j ? damping : 0));
      }
    }
    return sum;
  }

  it('knows its loss, and loses less than the largest scale would', () => {
    for (const bits of [2, 3, 4, 6, 8]) {
      const { weight, scale, loss } = roundNarrow(matrix, rows, moments, bits);
      expect(loss / lossOf(weight, scale)).toBeCloseTo(1, 9);
      for (const entry of weight) expect(entry >= -(2 ** (bits - 1)) && entry < 2 ** (bits - 1)).toBe(true);
    }
    const losses = [2, 3, 4, 6, 8].map((bits) => roundNarrow(matrix, rows, moments, bits).loss);
    for (const [i, loss] of losses.entries()) if (i > 0) expect(loss).toBeLessThan((losses[i - 1] as number) / 3);
  });

  it('is the recipe itself at 8 bits', () => {
    const plain = roundGptq(matrix, rows, moments);
    expect(roundWeights(matrix, rows, moments)).toEqual(plain);
    expect(roundNarrow(matrix, rows, moments, 8)).toMatchObject({ ...plain });
  });
});

describe('quantizeVit with fewer bits', () => {
  it('packs what it says, at the cost in quality that a bit has', async () => {
    const quality: number[] = [];
    for (const weightBits of [8, 6, 4]) {
      const { program, report } = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, weightBits });
      expect(report.recipeId).toBe(weightBits === 8 ? 'ptq@1' : `ptq@1+weights=${weightBits}`);
      expect(program.provenance?.recipe).toBe(report.recipeId);
      for (const [name, { bits }] of Object.entries(program.constants)) {
        const packed = weightBits < 8 && name.startsWith('blocks.') && name.endsWith('.weight');
        expect([name, bits]).toEqual([name, packed ? weightBits : undefined]);
      }
      quality.push(await logitQuality(backend, weights, validate(program), fresh));
    }
    // dB on this model: 28.7, 25.7, 16.0.
    const [eight = 0, six = 0, four = 0] = quality;
    expect(eight).toBeGreaterThan(27);
    expect(six).toBeGreaterThan(22);
    expect(four).toBeGreaterThan(12);
    expect(eight > six && six > four).toBe(true);
  });

  it('meets a size budget with 4 to 8 bits, better than all at 4', async () => {
    const sizeOf = (program: Program): number => weightBytes(program);
    const whole = weightBytes((await quantizeVit({ recipe: 'ptq@1', weights, photos, backend })).program);
    const budget = { bytes: Math.floor(0.7 * whole), sizeOf };
    const { program, report } = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, sizeBudget: budget });
    expect(weightBytes(program)).toBeLessThanOrEqual(budget.bytes);
    expect(report.recipeId).toBe('ptq@1+weights=mixed');
    const again = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, sizeBudget: budget });
    expect(modelId(again.program)).toBe(modelId(program));
    const four = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, weightBits: 4 });
    const quality = await logitQuality(backend, weights, validate(program), fresh);
    expect(quality).toBeGreaterThan(await logitQuality(backend, weights, validate(four.program), fresh));
  });

  it('leaves a program alone that fits, and refuses a budget that nothing fits', async () => {
    const few = photos.slice(0, 2);
    const plain = await quantizeVit({ recipe: 'ptq@1', weights, photos: few, backend });
    const roomy = await quantizeVit({
      recipe: 'ptq@1',
      weights,
      photos: few,
      backend,
      sizeBudget: { bytes: 1e9, sizeOf: weightBytes },
    });
    expect(modelId(roomy.program)).toBe(modelId(plain.program));
    const refusedBudget = expect.objectContaining({ code: 'E_SIZE_BUDGET' });
    for (const bytes of [10, 0, -1, 1.5]) {
      const tight = quantizeVit({
        recipe: 'ptq@1',
        weights,
        photos: few,
        backend,
        sizeBudget: { bytes, sizeOf: weightBytes },
      });
      await expect(tight).rejects.toThrowError(refusedBudget);
    }
    const both = quantizeVit({
      recipe: 'ptq@1',
      weights,
      photos: few,
      backend,
      weightBits: 4,
      sizeBudget: { bytes: 1e9, sizeOf: weightBytes },
    });
    await expect(both).rejects.toThrowError(refused);
    const paper = quantizeVit({
      weights,
      photos: few,
      backend,
      recipe: 'paper@1',
      sizeBudget: { bytes: 1e9, sizeOf: weightBytes },
    });
    await expect(paper).rejects.toThrowError(refusedBudget);
  });
});

describe('chooseBits', () => {
  const layer = (name: string, noise: number[]): Parameters<typeof chooseBits>[0][number] => ({
    layer: name,
    rows: 10,
    columns: 16,
    noise,
  });
  const layers = [layer('a', [0, 1, 10, 100, 1000]), layer('b', [0, 2, 4, 6, 8]), layer('c', [0, 200, 400, 600, 800])];

  it('takes the cheapest bits first', () => {
    // A bit of a layer is 20 bytes.
    expect([...(chooseBits(layers, 1) ?? [])]).toEqual([['a', 7]]);
    expect([...(chooseBits(layers, 21) ?? [])]).toEqual([
      ['a', 7],
      ['b', 7],
    ]);
    expect([...(chooseBits(layers, 100) ?? [])]).toEqual([
      ['a', 7],
      ['b', 4],
    ]);
    expect([...(chooseBits(layers, 240) ?? [])]).toEqual([
      ['a', 4],
      ['b', 4],
      ['c', 4],
    ]);
    expect(chooseBits(layers, 241)).toBeUndefined();
    expect([...(chooseBits(layers, 0) ?? [])]).toEqual([]);
  });

  it('measures energies around the mean', () => {
    expect(energyOf([Float32Array.of(1, 5, 3, 5)], 2)).toBe(1);
  });
});
