import { createReferenceBackend } from '@ivit/backend-reference';
import { modelId, validate } from '@ivit/program';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectStages, recordingBackend } from '../testing/backends.js';
import { randomSwin, TINY } from '../testing/random-swin.js';
import { randomPhotos } from '../testing/random-vit.js';
import type { QuantizeResult } from '../types.js';
import { quantizeSwin } from './quantize-swin.js';

const backend = createReferenceBackend();
const weights = randomSwin(1, TINY);
const photos = randomPhotos(6, 16, 2);

/** Frozen: other integers are another recipe, whatever machine, engine or change of code they come from. */
const FROZEN: Readonly<Record<string, string>> = {
  'ptq@1': '74f91f204ab616696abc32798cb8db249f23988ebfe419973ae42b02f22fad0e',
  'accurate@1': '4219ec48bc273d24c308913310bfae4f056db3f3e3ca85721093a96d658ba510',
  'accurate@2': '8bdfe9a98499f50a8ee1d5c2137c1addfe261c535f9d78724aa696ca7897fac1',
};

describe('accurate@1 of a Swin', () => {
  let result: QuantizeResult;
  const stages = new Map<string, number[][]>();

  beforeAll(async () => {
    result = await quantizeSwin({ weights, photos, backend: recordingBackend(backend, stages), recipe: 'accurate@1' });
  });

  it('has slots in front of fc2 and an int16 row in front of the classifier, and nowhere else', () => {
    const { ops, values, provenance } = validate(result.program);
    expect(provenance?.recipe).toBe('accurate@1');
    const split = ops.flatMap((op) => (op.op === 'rowquantize' && op.channels !== undefined ? [op.result] : []));
    expect(split).toHaveLength(3);
    for (const name of split) expect(name).toMatch(/\.gelu\.codes$/);
    expect(values['layers.1.blocks.0.gelu.codes']?.shape).toEqual([16, 4 * 32 + 32]);
    const wide = ops.flatMap((op) => (op.op === 'matmul' && 'constant' in op.b ? [op.result] : []));
    expect(wide).toEqual(['head.wide.sum']);
  });

  it('gives the integers that the stages were calibrated on', async () => {
    const names = [
      'layers.0.blocks.1.gelu.codes',
      'layers.0.downsample',
      'layers.1.blocks.0.residual2',
      'norm',
      'logits',
    ];
    await expectStages(backend, result.program, photos, names, stages);
  });

  it('is the same everywhere, as ptq@1 and accurate@2 are', async () => {
    const found: Record<string, string> = { 'accurate@1': modelId(result.program) };
    for (const recipe of ['ptq@1', 'accurate@2'] as const) {
      found[recipe] = modelId((await quantizeSwin({ weights, photos, backend, recipe })).program);
    }
    expect(found).toEqual(FROZEN);
  });
});
