import { planProgram } from '@ivit/backend-webgpu/~internal';
import { validate } from '@ivit/program';
import { beforeAll, describe, expect, test } from 'vitest';
import { seededPrograms } from '../determinism/measure.js';

let programs: Awaited<ReturnType<typeof seededPrograms>>;

beforeAll(async () => {
  programs = await seededPrograms();
});

describe('what the quantizer makes, on WebGPU', () => {
  test.each([
    ['ptq@1', 17],
    ['accurate@1', 18],
    ['paper@1', 17],
  ] as const)('%s: five dispatches a block, %i in all', (recipe, all) => {
    const program = programs.get(recipe);
    if (program === undefined) throw new RangeError(recipe);
    for (const packed of [true, false]) {
      const { dispatches } = planProgram(validate(program), [program.output], 1, { packed, fuse: true });
      const results = dispatches.map(({ result }) => result.value);
      for (const block of ['blocks.0.', 'blocks.1.']) {
        expect(results.filter((name) => name.startsWith(block))).toHaveLength(5);
      }
      expect(results).toHaveLength(all);
    }
  });

  test('accurate@1 has slots and rows of int16', () => {
    const ops = programs.get('accurate@1')?.ops ?? [];
    expect(ops.some((op) => op.op === 'rowquantize' && op.slot !== undefined)).toBe(true);
    expect(ops.filter((op) => op.op === 'matmul' && 'constant' in op.b)).toHaveLength(9);
  });
});
