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
    ['accurate@2', 20],
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

  test('accurate@2 has queries of int16, which the last block alone needs', () => {
    const program = programs.get('accurate@2');
    if (program === undefined) throw new RangeError('accurate@2');
    expect(program.ops.filter((op) => op.op === 'softmax')).toHaveLength(4);
    const { dispatches } = planProgram(validate(program), [program.output], 1, { packed: true, fuse: true });
    const attention = dispatches.filter(({ result }) => result.value.includes('.attention'));
    // Of 17 rows the others' 16 are two workgroups, behind that of the class token.
    expect(attention.map(({ result, grid }) => [result.value, ...grid])).toEqual([
      ['blocks.0.attention', 3, 3],
      ['blocks.1.attention.wide', 1, 3],
    ]);
  });

  test('accurate@1 has slots and rows of int16', () => {
    const ops = programs.get('accurate@1')?.ops ?? [];
    expect(ops.some((op) => op.op === 'rowquantize' && op.slot !== undefined)).toBe(true);
    expect(ops.filter((op) => op.op === 'matmul' && 'constant' in op.b)).toHaveLength(9);
  });
});
