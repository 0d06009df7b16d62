import type { Backend } from '@ivit/backend';
import { createReferenceBackend } from '@ivit/backend-reference';
import { blockPrefix, EMBED, type FloatTensor, type VitWeights } from '@ivit/models';
import { canonicalBytes, modelId, type Program, validate } from '@ivit/program';
import { beforeAll, describe, expect, it } from 'vitest';
import { quantizeVit } from './quantize-vit.js';
import { createMemoryCache } from './testing/cache.js';
import { logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';
import type { QuantizeResult } from './types.js';

const backend = createReferenceBackend();
const weights = randomVit(1);
const photos = randomPhotos(12, 16, 2);
const fresh = randomPhotos(24, 16, 77);

/** Everything of a program, details included, in one comparable string. */
function identityOf(program: Program): string {
  const { image, labels, provenance, outputShift } = program;
  return JSON.stringify([[...canonicalBytes(program)], image, labels, provenance, outputShift]);
}

/** A backend that notes the outputs asked for by stages, photo by photo. */
function recordingBackend(records: Map<string, number[][]>): Backend {
  return {
    ...backend,
    async compile(program, options) {
      const executable = await backend.compile(program, options);
      return {
        ...executable,
        info: executable.info,
        trace: (pixels) => executable.trace(pixels),
        dispose: () => executable.dispose(),
        async run(pixels, runOptions) {
          const outputs = await executable.run(pixels, runOptions);
          for (const [name, { data }] of Object.entries(outputs)) {
            const seen = records.get(name) ?? [];
            seen.push([...data]);
            records.set(name, seen);
          }
          return outputs;
        },
      };
    },
  };
}

describe('ptq@1', () => {
  let result: QuantizeResult;
  const stages = new Map<string, number[][]>();

  beforeAll(async () => {
    result = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend: recordingBackend(stages) });
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
    const executable = await backend.compile(validate(result.program), { outputs: names });
    for (const [photo, { pixels }] of photos.entries()) {
      const outputs = await executable.run(pixels, { batch: 1 });
      for (const name of names) {
        const whole = [...(outputs[name]?.data ?? [])];
        expect(whole.length, name).toBeGreaterThan(0);
        expect(whole, `${name} of photo ${photo}`).toEqual(stages.get(name)?.[photo]);
      }
    }
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
    const untouched = await quantizeVit({ recipe: 'ptq@1', weights, photos, backend: neverCalled, cache });
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

/**
 * The recipe is frozen: other integers from the same weights and photos are another recipe, whatever machine, engine or
 * change of code they come from.
 */
const FROZEN_MODEL = '79479674a1b5ece50c260be5a462a96b083bc21678a3c99034bc796cb22ca41a';

describe('accurate@2', () => {
  let result: QuantizeResult;
  const stages = new Map<string, number[][]>();

  beforeAll(async () => {
    result = await quantizeVit({ weights, photos, backend: recordingBackend(stages), recipe: 'accurate@2' });
  });

  it('splits channels into slots, and says so in report and provenance', () => {
    const program = validate(result.program);
    expect(program.provenance?.recipe).toBe('accurate@2');
    expect(result.report.recipe).toBe('accurate@2');
    const slots = new Map(result.report.edges.map((edge) => [edge.name, edge.slots]));
    for (const op of program.ops) {
      if (op.op !== 'rowquantize') continue;
      const name = op.result.replace('.codes', '');
      const channels = op.channels === undefined ? 0 : (program.constants[op.channels]?.data.length ?? 0);
      const width = program.values[op.result]?.shape.at(-1) ?? 0;
      const own = width - (slots.get(name) ?? 0);
      expect(own, name).toBe(name.endsWith('gelu') ? weights.config.mlpDim : weights.config.dim);
      expect(channels, name).toBe(name.endsWith('gelu') ? width : 0);
    }
    expect(slots.get('blocks.0.norm1')).toBe(0);
    expect(slots.get('blocks.0.gelu')).toBe(32);
    expect(slots.get('norm')).toBe(0);
  });

  it('leaves the class token in int16 in front of every linear layer', () => {
    const { ops, values } = validate(result.program);
    const wide = ops.filter((op) => op.op === 'matmul' && 'constant' in op.b);
    expect(wide.map((op) => op.result)).toEqual([
      ...[0, 1].flatMap((index) => ['qkv', 'proj', 'fc1', 'fc2'].map((name) => `blocks.${index}.${name}.wide.sum`)),
      'head.wide.sum',
      'head.wide.low',
    ]);
    expect(values['blocks.0.qkv.sum']?.shape[0]).toBe(16);
    expect(values['blocks.0.qkv']?.shape[0]).toBe(17);
  });

  it('lets the class token attend with int16 queries, and gives its classifier lower bits', () => {
    const { ops, values, constants } = validate(result.program);
    const { heads, dim, classes } = weights.config;
    expect(values['blocks.1.attention.wide.queries']).toMatchObject({ dtype: 'i16', shape: [1, dim] });
    expect(values['blocks.1.attention.wide']?.shape).toEqual([1, heads, dim / heads]);
    const readers = ops.filter(
      (op) => op.op === 'matmul' && 'value' in op.a && op.a.value === 'blocks.1.attention.wide',
    );
    expect(readers.map((op) => op.result)).toEqual(['blocks.1.proj.wide.sum']);
    const low = constants['head.low'];
    expect(low?.shape).toEqual([classes, dim]);
    expect(low?.bits).toBe(4);
    expect(new Set(low?.data).size).toBeGreaterThan(12);
  });

  it('gives the integers that the stages were calibrated on', async () => {
    const names = [
      ...['blocks.0.norm1.codes', 'blocks.1.attention.codes', 'blocks.1.gelu.codes', 'norm', 'logits'],
      ...['blocks.0.attention.wide', 'blocks.1.attention.wide'],
      ...['blocks.0.qkv', 'blocks.1.residual1', 'blocks.1.fc1', 'blocks.1.residual2'],
    ];
    const executable = await backend.compile(validate(result.program), { outputs: names });
    for (const [photo, { pixels }] of photos.entries()) {
      const outputs = await executable.run(pixels, { batch: 1 });
      for (const name of names) {
        expect([...(outputs[name]?.data ?? [])], `${name} of photo ${photo}`).toEqual(stages.get(name)?.[photo]);
      }
    }
  });

  it('has less noise than ptq@1 in the logits of photos it has not seen', async () => {
    const model = withMassiveActivations();
    const many = randomPhotos(48, 16, 2);
    const [accurate, ptq] = [
      await quantizeVit({ weights: model, photos: many, backend, recipe: 'accurate@2' }),
      await quantizeVit({ recipe: 'ptq@1', weights: model, photos: many, backend }),
    ];
    const quality = ({ program }: QuantizeResult): Promise<number> => logitQuality(backend, model, program, fresh);
    expect(await quality(accurate)).toBeGreaterThan((await quality(ptq)) + 1);
  });

  it('is the same to the byte on every machine, with a cache or without', async () => {
    expect(modelId(result.program)).toBe(FROZEN_ACCURATE_2);
    const cache = createMemoryCache();
    await quantizeVit({ recipe: 'ptq@1', weights, photos, backend, cache });
    await quantizeVit({ weights, photos, backend, cache, recipe: 'accurate@2' });
    const again = await quantizeVit({ weights, photos, backend: neverCalled, cache, recipe: 'accurate@2' });
    expect(identityOf(again.program)).toBe(identityOf(result.program));
  });
});

describe('accurate@1', () => {
  it("is accurate@2 without the search, the class token's own attention and the lower bits, and the same everywhere", async () => {
    const { program } = await quantizeVit({ weights, photos, backend, recipe: 'accurate@1' });
    const { ops, constants } = validate(program);
    const wide = ops.filter((op) => op.op === 'matmul' && 'constant' in op.b);
    expect(wide.map((op) => op.result)).toEqual([
      ...[0, 1].flatMap((index) => ['qkv', 'proj', 'fc1', 'fc2'].map((name) => `blocks.${index}.${name}.wide.sum`)),
      'head.wide.sum',
    ]);
    expect(Object.keys(constants).filter((name) => name.endsWith('.low'))).toEqual([]);
    expect(modelId(program)).toBe(FROZEN_ACCURATE);
  });
});

const FROZEN_ACCURATE = 'e1c782b3a5d285e93253fb9a74a467ecb88f3fbe8ea663861607a65275aa6444';
const FROZEN_ACCURATE_2 = '7055e407082a262dec37e072590c9d9b4e62db3bc86af8ae0881fd9c85a62033';

/** dB: on this model ptq@1 reaches 30.9, the same recipe with weights rounded to nearest 28.2. */
const FLOOR = 29.5;

const neverCalled: Backend = {
  ...backend,
  compile: () => Promise.reject(new Error('everything is in the cache')),
};

describe('paper@1', () => {
  it('validates, runs and reports, the same to the byte twice', async () => {
    const once = await quantizeVit({ weights, photos, backend, recipe: 'paper@1' });
    const twice = await quantizeVit({ weights, photos, backend, recipe: 'paper@1' });
    const program = validate(once.program);
    expect(program.facts.ops.shiftgelu).toBe(2);
    expect(program.provenance?.recipe).toBe('paper@1');
    expect(identityOf(twice.program)).toBe(identityOf(once.program));
    expect(once.report.edges).toHaveLength(2 + 2 * 11 + 2);
    for (const edge of once.report.edges) expect(edge.sqnr, edge.name).toBeGreaterThan(5);
    expect(await logitQuality(backend, weights, once.program, fresh)).toBeGreaterThan(10);
  });
});

function zeroed(tensor: FloatTensor, from: number, to: number): FloatTensor {
  const data = tensor.data.slice();
  data.fill(0, from, to);
  return { shape: tensor.shape, data };
}

/** The model with block 0 changed. */
function withBlock(change: (block: VitWeights['blocks'][number]) => Partial<VitWeights['blocks'][number]>): VitWeights {
  const [first, ...rest] = weights.blocks;
  if (first === undefined) throw new Error('no block');
  return { ...weights, blocks: [{ ...first, ...change(first) }, ...rest] };
}

describe('models with dead parts', () => {
  const { dim, mlpDim } = weights.config;
  const cases: Record<string, VitWeights> = {
    'a LayerNorm channel with γ = β = 0': withBlock(({ norm1 }) => ({
      norm1: { weight: zeroed(norm1.weight, 3, 4), bias: zeroed(norm1.bias, 3, 4) },
    })),
    'a LayerNorm that is 0 throughout': withBlock(({ norm2 }) => ({
      norm2: { weight: zeroed(norm2.weight, 0, dim), bias: zeroed(norm2.bias, 0, dim) },
    })),
    'a column of zeros in qkv': withBlock(({ qkv }) => {
      const data = qkv.weight.data.slice();
      for (let n = 0; n < 3 * dim; n += 1) data[n * dim + 5] = 0;
      return { qkv: { ...qkv, weight: { shape: qkv.weight.shape, data } } };
    }),
    'a head without q, k and v': withBlock(({ qkv }) => {
      let { weight, bias } = qkv;
      for (const part of [0, 1, 2]) {
        const row = part * dim;
        weight = zeroed(weight, row * dim, (row + dim / 2) * dim);
        bias = zeroed(bias, row, row + dim / 2);
      }
      return { qkv: { weight, bias } };
    }),
    'attention whose output is 0': withBlock(({ qkv }) => ({
      qkv: { weight: zeroed(qkv.weight, 2 * dim * dim, 3 * dim * dim), bias: zeroed(qkv.bias, 2 * dim, 3 * dim) },
    })),
    'an MLP of zeros': withBlock(({ fc1, fc2 }) => ({
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

/** One hidden channel of block 0 is 25 times, one channel of the residual 60 times as strong. */
function withMassiveActivations(): VitWeights {
  return withBlock(({ fc1, fc2 }) => {
    const hidden = fc1.weight.data.map((w, i) => (Math.floor(i / weights.config.dim) === 9 ? 25 * w : w));
    const output = fc2.weight.data.map((w, i) => (Math.floor(i / weights.config.mlpDim) === 5 ? 60 * w : w));
    return {
      fc1: { ...fc1, weight: { shape: fc1.weight.shape, data: hidden } },
      fc2: { ...fc2, weight: { shape: fc2.weight.shape, data: output } },
    };
  });
}

describe('unusual models and photos', () => {
  it('keeps massive activations that plain min/max loses', async () => {
    const model = withMassiveActivations();
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
    const model = withBlock(({ fc1 }) => {
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
    const model = withBlock(({ fc2 }) => ({
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
