/** Products large enough for seven multiplications instead of eight, held to plain sums. */
import { createCpuBackend } from '@ivit/backend-cpu';
import { createProgramBuilder, type ValidatedProgram, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { bytes } from './support/programs.js';

interface Product {
  readonly rows: number;
  readonly k: number;
  readonly n: number;
  readonly x: (index: number) => number;
  readonly w: (index: number) => number;
  readonly bias: boolean;
}

const TABLE = Int8Array.from({ length: 256 }, (_, pixel) => pixel - 128);

function biasOf({ n, bias }: Product): Int32Array {
  return Int32Array.from({ length: n }, (_, column) => (bias ? (column % 2 === 0 ? 1 : -1) * (1000003 + column) : 0));
}

function programOf(product: Product): ValidatedProgram {
  const { rows, k, n, w, bias } = product;
  const builder = createProgramBuilder('pixels', [rows, k]);
  builder.constant('table', 'i8', [256], TABLE);
  builder.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'table' });
  builder.constant(
    'w',
    'i8',
    [n, k],
    Int8Array.from({ length: n * k }, (_, index) => w(index)),
  );
  if (bias) builder.constant('b', 'i32', [n], biasOf(product));
  builder.add({ op: 'linear', result: 'sums', x: { value: 'x' }, w: 'w', ...(bias ? { b: 'b' } : {}) });
  return validate(builder.build({ output: 'sums' }), { fragment: true });
}

function plainSums(product: Product): Int32Array {
  const { rows, k, n, x, w } = product;
  const bias = biasOf(product);
  return Int32Array.from({ length: rows * n }, (_, at) => {
    const row = Math.floor(at / n);
    const column = at % n;
    let sum = bias[column] as number;
    for (let i = 0; i < k; i++) sum += x(row * k + i) * w(column * k + i);
    return sum;
  });
}

const random = (seed: number, count: number): ((index: number) => number) => {
  const values = new Int8Array(bytes(count, seed).buffer);
  return (index) => values[index] as number;
};
const checkered = (index: number): number => (index % 3 === 0 ? -128 : 127);

const sizes = [
  [24, 128, 64],
  [25, 132, 80],
  [32, 136, 64],
  [33, 196, 96],
  [55, 140, 112],
  [205, 384, 64],
  [40, 1536, 64],
] as const;

const products: readonly (readonly [string, Product])[] = sizes.flatMap(([rows, k, n]) =>
  [false, true].flatMap((bias) => {
    const size = { rows, k, n, bias };
    const name = `${rows}×${k} by ${k}×${n}${bias ? ' with bias' : ''}`;
    return [
      [`${name}, random`, { ...size, x: random(rows, rows * k), w: random(n, n * k) }],
      [`${name}, all -128`, { ...size, x: () => -128, w: () => -128 }],
      [`${name}, -128 by 127`, { ...size, x: () => -128, w: () => 127 }],
      [`${name}, alternating extremes`, { ...size, x: checkered, w: (index: number) => -checkered(index + 1) - 1 }],
    ] as const;
  }),
);

describe.each([1, 2])('on %i thread(s)', (threads) => {
  const backend = createCpuBackend({ threads });

  it.each(products)('%s', async (_, product) => {
    const { rows, k, x } = product;
    const executable = await backend.compile(programOf(product));
    const pixels = Uint8Array.from({ length: rows * k }, (_pixel, index) => x(index) + 128);
    const { sums } = await executable.run(pixels, { batch: 1 });
    await executable.dispose();
    expect(sums?.data).toEqual(plainSums(product));
  });
});
