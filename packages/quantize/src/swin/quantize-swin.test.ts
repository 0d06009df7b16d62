import { createReferenceBackend } from '@ivit/backend-reference';
import { type SwinWeights, swinForward } from '@ivit/models';
import { modelId, validate } from '@ivit/program';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectStages, recordingBackend } from '../testing/backends.js';
import { qualityAgainst } from '../testing/quality.js';
import { randomSwin } from '../testing/random-swin.js';
import { randomPhotos } from '../testing/random-vit.js';
import type { QuantizeResult } from '../types.js';
import { quantizeSwin } from './quantize-swin.js';

const backend = createReferenceBackend();
const weights = randomSwin(1);
const photos = randomPhotos(8, 32, 2);
const fresh = randomPhotos(16, 32, 77);

function quality(model: SwinWeights, result: QuantizeResult, apart = false): Promise<number> {
  return qualityAgainst((pixels) => swinForward(model, pixels), backend, result.program, fresh, apart);
}

describe('ptq@1 of a Swin', () => {
  let result: QuantizeResult;
  const stages = new Map<string, number[][]>();

  beforeAll(async () => {
    result = await quantizeSwin({ weights, photos, backend: recordingBackend(backend, stages) });
  });

  it('yields a program that is proved free of overflow, with image, labels and provenance', () => {
    const program = validate(result.program);
    expect(program.facts.ops).toMatchObject({
      rowquantize: 4 * 4 + 1 + 1,
      softmax: 4,
      mean: 1,
      layernorm: 1 + 8 + 1 + 1,
    });
    expect(program.image).toEqual({ resize: 32, interpolation: 'bicubic', crop: { height: 32, width: 32 } });
    expect(program.provenance).toMatchObject({ recipe: 'ptq@1', architecture: 'swin', sources: weights.sources });
  });

  it('keeps the logits of photos it has not seen, also what tells the photos apart', async () => {
    expect(await quality(weights, result)).toBeGreaterThan(26);
    expect(await quality(weights, result, true)).toBeGreaterThan(20);
  });

  it('gives the integers that the stages were calibrated on', async () => {
    const names = [
      'embed',
      'layers.0.blocks.1.attention',
      'layers.0.blocks.1.residual2',
      'layers.0.downsample',
      'layers.1.blocks.0.fc1',
      'layers.1.blocks.1.residual2',
      'norm.codes',
      'logits',
    ];
    await expectStages(backend, result.program, photos, names, stages);
  });

  it('reports every edge', () => {
    const block = ['norm1', 'qkv', 'attention.logits', 'attention', 'residual1', 'norm2', 'fc1', 'gelu', 'residual2'];
    const blocks = (stage: number) =>
      [0, 1].flatMap((at) => block.map((name) => `layers.${stage}.blocks.${at}.${name}`));
    expect(result.report.edges.map((edge) => edge.name)).toEqual([
      'embed.projection',
      'embed',
      ...blocks(0),
      'layers.0.downsample.norm',
      'layers.0.downsample',
      ...blocks(1),
      'norm',
      'logits',
    ]);
    for (const edge of result.report.edges) expect(edge.sqnr, edge.name).toBeGreaterThan(22);
  });

  it('is the same to the byte in a second run', async () => {
    const again = await quantizeSwin({ weights, photos, backend });
    expect(modelId(again.program)).toBe(modelId(result.program));
  });

  it('keeps masked pairs apart: what a roll brings from the far edge changes nothing within its window', async () => {
    // One block, shifted windows; the last row of pixels reaches the first row of tokens only through the roll.
    const one = randomSwin(4, { depths: [2], heads: [2] });
    const { program } = await quantizeSwin({ weights: one, photos, backend });
    const name = 'layers.0.blocks.1.attention.probabilities';
    const executable = await backend.compile(validate(program), { outputs: [name] });
    const data = (await executable.run((photos[0] as (typeof photos)[number]).pixels, { batch: 1 }))[name]?.data ?? [];
    const [side, window, shift, heads] = [16, 4, 2, 2];
    const keys = window * window;
    const last = (side / window) ** 2 - 1;
    let masked = 0;
    for (let head = 0; head < heads; head += 1) {
      for (let i = 0; i < keys; i += 1) {
        for (let j = 0; j < keys; j += 1) {
          // In the last window tokens of the two halves of each axis come from opposite edges.
          const apart = [i, j].map((t) => [Math.floor(t / window) < window - shift, t % window < window - shift]);
          const same = apart[0]?.[0] === apart[1]?.[0] && apart[0]?.[1] === apart[1]?.[1];
          const probability = data[((last * heads + head) * keys + i) * keys + j];
          if (!same) masked += 1;
          expect((probability ?? 0) > 0 || same === false).toBe(true);
          if (!same) expect(probability).toBe(0);
        }
      }
    }
    expect(masked).toBe(2 * (16 * 16 - 4 * 16));
  });

  it('takes one window as large as the grid, and several stages', async () => {
    const deep = randomSwin(10, { depths: [1, 2, 1], heads: [1, 2, 2] });
    const small = await quantizeSwin({ weights: deep, photos, backend });
    // Eight made-up photos do not show the ranges of others: on themselves it is 29 dB.
    expect(await quality(deep, small)).toBeGreaterThan(25);
  });
});

describe('bad input', () => {
  it('refuses photos of another size, weights that do not fit, and an abort', async () => {
    await expect(quantizeSwin({ weights, photos: randomPhotos(1, 16, 1), backend })).rejects.toMatchObject({
      code: 'E_INPUT_SIZE',
    });
    const short = { ...weights, norm: { ...weights.norm, bias: { shape: [3], data: new Float32Array(3) } } };
    await expect(quantizeSwin({ weights: short, photos, backend })).rejects.toMatchObject({
      code: 'E_WEIGHTS_SHAPE',
      where: 'norm.bias',
    });
    const config = { ...weights.config, depths: [2, 3] };
    await expect(quantizeSwin({ weights: { ...weights, config }, photos, backend })).rejects.toMatchObject({
      code: 'E_WEIGHTS_SHAPE',
      where: 'stages.1',
    });
    await expect(quantizeSwin({ weights, photos, backend, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'E_ABORTED',
    });
  });
});
