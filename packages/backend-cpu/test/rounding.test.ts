/** Where the fast rounding leaves its path: ties, and ramps beyond the end of their map. Held to the reference backend. */
import { createCpuBackend } from '@ivit/backend-cpu';
import { createReferenceBackend } from '@ivit/backend-reference';
import { createProgramBuilder, type Program, validate } from '@ivit/program';
import { expect, it } from 'vitest';

type Builder = ReturnType<typeof createProgramBuilder>;

/** Rows of all pixels alike, and a table for each column, so that `x` [256, 256] holds every int16 once. */
function everyInt16(): Builder {
  const builder = createProgramBuilder('pixels', [256, 256]);
  builder.constant(
    'columns',
    'i16',
    [256, 256],
    Int16Array.from({ length: 65536 }, (_, index) => index - 32768),
  );
  builder.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'columns' });
  return builder;
}

/** int32 sums [256, 256] of small numbers, from all of `x`'s rows as int8. */
function addSums(builder: Builder): void {
  builder.constant(
    'bytes',
    'i8',
    [256],
    Int8Array.from({ length: 256 }, (_, index) => index - 128),
  );
  builder.constant(
    'w',
    'i8',
    [256, 256],
    Int8Array.from({ length: 65536 }, (_, index) => (index % 257 === 0 ? 1 : index % 641 === 0 ? 3 : 0)),
  );
  builder.add({ op: 'lookup', result: 'codes', x: { value: 'pixels' }, table: 'bytes' });
  builder.add({ op: 'linear', result: 'sums', x: { value: 'codes' }, w: 'w' });
}

const plain = { op: 'requantize', result: 'y', axis: 0, run: 0 } as const;

const programs: Record<string, () => Program> = {};

for (const to of ['i8', 'i16', 'i32'] as const) {
  for (const [m, e, z] of [
    [1, 1, 0],
    [1, 3, 5],
    [-3, 2, -7],
    [16384, 15, 1],
  ] as const) {
    programs[`int16 to ${to} by ${m}/2^${e} + ${z}`] = () => {
      const builder = everyInt16();
      builder.add({ ...plain, x: { value: 'x' }, m, e, z, to });
      return builder.build({ output: 'y' });
    };
    programs[`int32 to ${to} by ${m}/2^${e} + ${z}`] = () => {
      const builder = everyInt16();
      addSums(builder);
      builder.add({ ...plain, x: { value: 'sums' }, m, e, z, to });
      return builder.build({ output: 'y' });
    };
  }
}

for (const [m, e, ma, ea] of [
  [1, 1, 1, 1],
  [5, 2, 7, 3],
  [1, 0, 1, 2],
  [3, 4, 1, 0],
] as const) {
  programs[`a residual sum by ${m}/2^${e} and ${ma}/2^${ea}`] = () => {
    const builder = everyInt16();
    addSums(builder);
    const addend = { operand: { value: 'x' }, m: ma, e: ea };
    builder.add({ ...plain, x: { value: 'sums' }, m, e, z: 3, addend, to: 'i16' });
    return builder.build({ output: 'y' });
  };
}

for (const [m, e, z] of [
  [1921908784, 32, 0],
  [1, 5, 0],
  [1, 7, 3],
  [-3, 8, -100],
  [1, 0, 0],
] as const) {
  programs[`a ramp by ${m}/2^${e} + ${z}`] = () => {
    const builder = everyInt16();
    const last = 576;
    const table = Int16Array.from({ length: last + 1 }, (_, i) => (i === last ? 0 : -Math.imul(i, last - i) >> 9));
    builder.constant('ramp', 'i16', [last + 1], table);
    builder.add({ op: 'ramplookup', result: 'wide', x: { value: 'x' }, table: 'ramp', u: 5 });
    builder.add({ ...plain, x: { value: 'wide' }, m, e, z, to: 'i16' });
    return builder.build({ output: 'y' });
  };
}

for (const [e, k] of [
  [4, 1],
  [6, 5],
  [9, 0],
] as const) {
  programs[`scales of rows by 2^-${e}`] = () => {
    const builder = everyInt16();
    addSums(builder);
    builder.add({ op: 'rowscale', result: 'row', x: { value: 'x' }, cp: 127, cn: 128 });
    builder.add({ op: 'rowquantize', result: 'quantized', x: { value: 'x' }, row: { value: 'row' }, z: 0 });
    builder.add({ op: 'linear', result: 'products', x: { value: 'quantized' }, w: 'w' });
    const bias = Int32Array.from({ length: 256 }, (_, column) => column - 128);
    builder.constant('bias', 'i32', [256], bias);
    const row = { row: { value: 'row' }, bias: 'bias', k };
    builder.add({ ...plain, axis: 1, run: 1, x: { value: 'products' }, m: 1, e, z: 1, ...row, to: 'i16' });
    return builder.build({ output: 'y' });
  };
}

const pixels = Uint8Array.from({ length: 65536 }, (_, index) => index >> 8);

it.each(Object.keys(programs))('%s', async (name) => {
  const program = validate((programs[name] as () => Program)(), { fragment: true });
  const results = [];
  for (const backend of [createReferenceBackend(), createCpuBackend({ threads: 1 })]) {
    const executable = await backend.compile(program);
    results.push((await executable.run(pixels, { batch: 1 })).y?.data);
    await executable.dispose();
  }
  expect(results[1]).toEqual(results[0]);
});
