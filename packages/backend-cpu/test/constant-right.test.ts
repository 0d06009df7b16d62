/** Products with a constant right side, which is packed once: whole weights, some columns of them, and each row of theirs a column. */
import { createCpuBackend } from '@ivit/backend-cpu';
import { createReferenceBackend } from '@ivit/backend-reference';
import { createProgramBuilder, type ValidatedProgram, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { bytes } from './support/programs.js';

const K = 40;

/** int16 (or int8) rows times the constant as seen through a view; the same constant is a layer's weights as well. */
function programOf(
  rows: number,
  wide: boolean,
  columns: number,
  view: { offset: number; strides: number[] },
  n: number,
): ValidatedProgram {
  const builder = createProgramBuilder('pixels', [rows, columns]);
  const x = builder.add({
    op: 'requantize',
    result: 'x',
    x: { value: 'pixels' },
    m: wide ? 101 : 1,
    e: 0,
    z: wide ? -12345 : -128,
    axis: 0,
    run: 0,
    to: wide ? 'i16' : 'i8',
  });
  const w = builder.constant('w', 'i8', [n, K], new Int8Array(bytes(n * K, 9).buffer));
  const shape = [1, columns, n];
  const sums = builder.add({
    op: 'matmul',
    result: 'sums',
    a: { value: x, view: { offset: 0, shape: [1, rows, columns], strides: [rows * columns, columns, 1] } },
    b: { constant: w, view: { offset: view.offset, shape, strides: [0, ...view.strides] } },
  });
  return validate(builder.build({ output: sums }), { fragment: true });
}

const views = [
  ['whole', K, { offset: 0, strides: [1, K] }],
  ['its first columns', 29, { offset: 0, strides: [1, K] }],
  ['columns from the third on', 31, { offset: 2, strides: [1, K] }],
  ['whole vectors of its columns', 32, { offset: 8, strides: [1, K] }],
  ['not transposed', 17, { offset: 0, strides: [K, 1] }],
] as const;

describe.each(views)('weights as a right side, %s', (_, columns, { offset, strides }) => {
  it.each([
    [1, true, 26],
    [2, true, 26],
    [9, true, 26],
    [1, false, 26],
    [1, true, 28],
    [2, true, 24],
    [3, true, 24],
    [1, false, 24],
  ])('%i rows, int16: %s, %i of the result', async (rows, wide, n) => {
    const program = programOf(rows, wide, columns, { offset, strides: [...strides] }, n);
    const pixels = bytes(2 * rows * columns, 4);
    const reference = await (await createReferenceBackend().compile(program, { maxBatch: 2 })).run(pixels, {
      batch: 2,
    });
    for (const threads of [1, 2]) {
      const executable = await createCpuBackend({ threads }).compile(program, { maxBatch: 2 });
      for (const _run of [1, 2]) {
        expect((await executable.run(pixels, { batch: 2 }))['sums']?.data).toEqual(reference['sums']?.data);
      }
      await executable.dispose();
    }
  });
});
