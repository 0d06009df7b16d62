import { createReferenceBackend } from '@ivit/backend-reference';
import { GELU_INPUT_STEP_BITS, type VitWeights } from '@ivit/models';
import { validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { quantizeVit } from './quantize-vit.js';
import { logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';

const backend = createReferenceBackend();
const photos = randomPhotos(12, 16, 2);
const fresh = randomPhotos(12, 16, 77);
const CHANNEL = 7;

/** One channel of each hidden layer `factor` times as large, its weights in fc2 as much smaller. */
function planted(factor: number): VitWeights {
  const weights = randomVit(1);
  for (const { fc1, fc2 } of weights.blocks) {
    const width = weights.config.dim;
    for (let k = CHANNEL * width; k < (CHANNEL + 1) * width; k += 1)
      fc1.weight.data[k] = (fc1.weight.data[k] as number) * factor;
    fc1.bias.data[CHANNEL] = (fc1.bias.data[CHANNEL] as number) * factor;
    for (let n = 0; n < width; n += 1) {
      const at = n * weights.config.mlpDim + CHANNEL;
      fc2.weight.data[at] = (fc2.weight.data[at] as number) / factor;
    }
  }
  return weights;
}

describe.each(['ptq@1', 'accurate@1'] as const)('%s on weights with massive activations', (recipe) => {
  it('loses next to nothing', async () => {
    const quality = async (factor: number, spread: boolean): Promise<number> => {
      const weights = planted(factor);
      const { program } = await quantizeVit({ weights, photos, backend, recipe, changes: spread ? {} : { spread } });
      return logitQuality(backend, weights, program, fresh);
    };
    const unplanted = await quality(1, true);
    expect(await quality(300, true)).toBeGreaterThan(unplanted - 1);
    // Slots and int16 rows hold much of it by themselves; a plain row scale does not.
    if (recipe === 'ptq@1') expect(await quality(300, false)).toBeLessThan(unplanted - 3);
  });

  it('takes the steps of fc1 that its values need, and a table for them', async () => {
    const { program } = await quantizeVit({ weights: planted(300), photos, backend, recipe });
    const { ops, constants } = validate(program);
    const ramps = ops.flatMap((op) => (op.op === 'ramplookup' ? [op] : []));
    for (const { table, u } of ramps) {
      const bits = Number(table.replace('gelu.table.', ''));
      expect(bits).toBeLessThan(GELU_INPUT_STEP_BITS);
      expect(u).toBe(Math.min(8, 12 - bits));
      expect(constants[table]?.data).toHaveLength(4.5 * 2 ** bits + 1);
    }
    expect(ramps).toHaveLength(2);
  });

  it('gives weights without them the steps and table that they always had', async () => {
    const { program } = await quantizeVit({ weights: planted(1), photos, backend, recipe });
    for (const op of validate(program).ops)
      if (op.op === 'ramplookup') expect([op.table, op.u]).toEqual(['gelu.table', 5]);
  });
});
