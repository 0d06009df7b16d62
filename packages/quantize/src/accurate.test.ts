import { createReferenceBackend } from '@ivit/backend-reference';
import { modelId, validate } from '@ivit/program';
import { beforeAll, describe, expect, it } from 'vitest';
import { quantizeVit } from './quantize-vit.js';
import { expectStages, neverCalled, recordingBackend } from './testing/backends.js';
import { createMemoryCache } from './testing/cache.js';
import { withMassiveActivations } from './testing/changed-vit.js';
import { identityOf } from './testing/identity.js';
import { logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';
import type { QuantizeResult } from './types.js';

const backend = createReferenceBackend();
const weights = randomVit(1);
const photos = randomPhotos(12, 16, 2);
const fresh = randomPhotos(24, 16, 77);

/** Frozen as that of `ptq@1`: other integers are another recipe. */
const FROZEN_ACCURATE = 'e1c782b3a5d285e93253fb9a74a467ecb88f3fbe8ea663861607a65275aa6444';
const FROZEN_ACCURATE_2 = '7055e407082a262dec37e072590c9d9b4e62db3bc86af8ae0881fd9c85a62033';

describe('accurate@2', () => {
  let result: QuantizeResult;
  const stages = new Map<string, number[][]>();

  beforeAll(async () => {
    result = await quantizeVit({ weights, photos, backend: recordingBackend(backend, stages), recipe: 'accurate@2' });
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
    await expectStages(backend, result.program, photos, names, stages);
  });

  it('has less noise than ptq@1 in the logits of photos it has not seen', async () => {
    const model = withMassiveActivations(weights);
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
    const again = await quantizeVit({ weights, photos, backend: neverCalled(backend), cache, recipe: 'accurate@2' });
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
