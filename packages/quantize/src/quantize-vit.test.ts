import { createReferenceBackend } from '@ivit/backend-reference';
import { blockPrefix, EMBED } from '@ivit/models';
import { modelId, validate } from '@ivit/program';
import { beforeAll, describe, expect, it } from 'vitest';
import { quantizeVit } from './quantize-vit.js';
import { expectStages, neverCalled, recordingBackend } from './testing/backends.js';
import { createMemoryCache } from './testing/cache.js';
import { identityOf } from './testing/identity.js';
import { logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';
import type { QuantizeResult } from './types.js';

const backend = createReferenceBackend();
const weights = randomVit(1);
const photos = randomPhotos(12, 16, 2);
const fresh = randomPhotos(24, 16, 77);

/**
 * The recipe is frozen: other integers from the same weights and photos are another recipe, whatever machine, engine or
 * change of code they come from.
 */
const FROZEN_MODEL = '79479674a1b5ece50c260be5a462a96b083bc21678a3c99034bc796cb22ca41a';

/** dB: on this model ptq@1 reaches 30.9, the same recipe with weights rounded to nearest 28.2. */
const FLOOR = 29.5;

describe('ptq@1', () => {
  let result: QuantizeResult;
  const stages = new Map<string, number[][]>();

  beforeAll(async () => {
    result = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend: recordingBackend(backend, stages) });
  });

  it('yields a program that validates, with image, labels and provenance', () => {
    const program = validate(result.program);
    expect(program.facts.ops.rowquantize).toBe(2 * 4 + 1);
    expect(program.image).toEqual({ resize: 16, interpolation: 'bicubic', crop: { height: 16, width: 16 } });
    expect(program.labels).toEqual(weights.labels);
    expect(program.provenance).toEqual({
      sources: weights.sources,
      recipe: 'ptq@1',
      calibration: photos.map((photo) => photo.sha256),
      architecture: 'vit',
    });
    expect(program.outputShift).toBe(16);
  });

  it('is closer to float than plain rounding can be, on photos it has not seen', async () => {
    const many = randomPhotos(32, 16, 2);
    const { program } = await quantizeVit({ recipe: 'ptq@1', weights, photos: many, backend });
    expect(await logitQuality(backend, weights, program, fresh)).toBeGreaterThan(FLOOR);
    const paper = await quantizeVit({ weights, photos: many, backend, recipe: 'paper@1' });
    expect(await logitQuality(backend, weights, paper.program, fresh)).toBeLessThan(FLOOR - 3);
  });

  it('gives the integers that the stages were calibrated on', async () => {
    const names = [
      EMBED,
      ...weights.blocks.flatMap((_, index) =>
        ['norm1', 'attention.codes', 'residual1', 'norm2.codes', 'fc1', 'gelu.row', 'residual2'].map(
          (name) => `${blockPrefix(index)}.${name}`,
        ),
      ),
      'norm.codes',
      'logits',
    ];
    await expectStages(backend, result.program, photos, names, stages);
  });

  it('reports every edge with range, scale and noise', () => {
    const { report } = result;
    expect(report.recipe).toBe('ptq@1');
    expect(report.photos).toBe(12);
    expect(report.edges.map((edge) => edge.name)).toEqual([
      'embed',
      ...[0, 1].flatMap((index) =>
        ['norm1', 'qkv', 'attention.logits', 'attention', 'residual1', 'norm2', 'fc1', 'gelu', 'residual2'].map(
          (name) => `blocks.${index}.${name}`,
        ),
      ),
      'norm',
      'logits',
    ]);
    for (const edge of report.edges) {
      expect(edge.slots).toBe(0);
      expect(edge.min).toBeLessThan(edge.max);
      expect(edge.scale).toBeGreaterThan(0);
      expect(edge.sqnr, edge.name).toBeGreaterThan(25);
    }
  });

  it('is the same to the byte on every machine', () => {
    expect(modelId(result.program)).toBe(FROZEN_MODEL);
  });

  it('is the same to the byte in a second run', async () => {
    const again = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend });
    expect(identityOf(again.program)).toBe(identityOf(result.program));
    expect(again.report).toEqual(result.report);
  });

  it('takes up an aborted run where it stopped, with the same bytes', async () => {
    const cache = createMemoryCache();
    const controller = new AbortController();
    const aborted = quantizeVit({
      recipe: 'ptq@1',
      weights,
      photos,
      backend,
      cache,
      signal: controller.signal,
      onProgress({ stage, done }) {
        if (stage === 'block 2/2' && done > 12 * (2 + 6) + 20) controller.abort();
      },
    });
    await expect(aborted).rejects.toMatchObject({ code: 'E_ABORTED' });
    expect(cache.entries.size).toBe(2);
    let first = 0;
    const resumed = await quantizeVit({
      recipe: 'ptq@1',
      weights,
      photos,
      backend,
      cache,
      onProgress({ stage, done }) {
        if (stage === 'block 2/2' && first === 0) first = done;
      },
    });
    expect(cache.hits).toBe(2);
    expect(identityOf(resumed.program)).toBe(identityOf(result.program));
    expect(resumed.report).toEqual(result.report);
    const untouched = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend: neverCalled(backend), cache });
    expect(identityOf(untouched.program)).toBe(identityOf(result.program));
  });

  it('takes no damaged entry, and no entry of other photos', async () => {
    const cache = createMemoryCache();
    await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, cache });
    const stored = cache.entries.size;
    for (const bytes of cache.entries.values()) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    const again = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, cache });
    expect(identityOf(again.program)).toBe(identityOf(result.program));
    expect(cache.entries.size).toBe(stored);
    await quantizeVit({ recipe: 'ptq@1', weights, photos: photos.slice(1), backend, cache });
    expect(cache.entries.size).toBe(2 * stored);
  });

  it('tells progress up to its total', async () => {
    const seen: { stage: string; done: number; total: number }[] = [];
    await quantizeVit({
      recipe: 'ptq@1',
      weights,
      photos: photos.slice(0, 2),
      backend,
      onProgress: (p) => void seen.push(p),
    });
    expect(seen[0]).toEqual({ stage: 'embed', done: 0, total: 2 * (2 + 2 * 6 + 3) });
    expect(seen.at(-1)).toEqual({ stage: 'head', done: 34, total: 34 });
    expect(seen.every((p, i) => p.done >= (seen[i - 1]?.done ?? 0))).toBe(true);
  });
});
