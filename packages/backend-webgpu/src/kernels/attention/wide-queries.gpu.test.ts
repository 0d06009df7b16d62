import { createRandom, interpret } from '@ivit/backend-testkit';
import type { Exponential, Operand } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { ProgramMaker } from '../../testing/program-maker.js';
import { expectExact } from '../../testing/run-program.js';

interface Case {
  readonly heads: number;
  readonly tokens: number;
  /** Tokens, from the first on, whose queries are i8. Default: all. */
  readonly rows?: number;
  /** Rows whose queries are i16. */
  readonly wide: number;
  readonly depth: number;
  readonly exponential: Exponential;
  readonly bits: 8 | 16;
  /** First row of the others that is read. Default: the one behind the wide ones. */
  readonly from?: number;
  /** The wide rows' exponential. Default: the same. */
  readonly own?: Exponential;
}

interface Built {
  readonly wide: string;
  readonly others: string;
  /** Both together. */
  readonly output: string;
}

/** Attention as `accurate@2` has it: of i16 queries of the first rows, and of all rows of `[tokens, 3, heads, depth]`. */
function build(maker: ProgramMaker, one: Case): Built {
  const { heads, tokens, rows = tokens, wide, depth, bits, exponential, from = wide } = one;
  const add = maker.builder.add;
  const inner = heads * depth;
  const qkv = maker.value('i8', [tokens, 3, heads, depth]);
  const queries = maker.value('i16', [wide, inner]);
  const part = (index: number, turned: boolean, count = tokens): Operand => ({
    value: qkv,
    view: {
      offset: index * inner,
      shape: [heads, ...(turned ? [depth, count] : [count, depth])],
      strides: [depth, ...(turned ? [1, 3 * inner] : [3 * inner, 1])],
    },
  });
  const attention = (a: Operand, count: number, exponent: Exponential): string => {
    const products = add({ op: 'matmul', result: maker.name('products'), a, b: part(1, true) });
    const x = maker.requantize({ value: products }, 'i16', { axis: 0, run: 1, channels: heads });
    const softmax = { op: 'softmax', x: { value: x }, exponential: exponent, bits } as const;
    const p = add({ ...softmax, result: maker.name('p') });
    const sums = add({ op: 'matmul', result: maker.name('sums'), a: { value: p }, b: part(2, false) });
    const seen = maker.builder.transpose(sums, [heads, count, depth], [1, 0, 2]);
    return maker.requantize(seen, 'i16', { axis: 1, run: 2, channels: inner });
  };
  const view = { offset: 0, shape: [heads, wide, depth], strides: [depth, inner, 1] };
  const first = attention({ value: queries, view }, wide, one.own ?? exponential);
  const others = attention(part(0, false, rows), rows, exponential);
  const rest = { offset: from * inner, shape: [rows - from, heads, depth], strides: [inner, depth, 1] };
  const operands = [{ value: first }, { value: others, view: rest }];
  return { wide: first, others, output: add({ op: 'concat', result: 'both', operands }) };
}

/** Values with a dispatch of their own that are neither pixels nor made of them by tables. */
const fused = (made: readonly string[]): readonly string[] => made.filter((name) => !/^(bytes|x)/.test(name));

const table = (maker: ProgramMaker): string => maker.builder.constant('exp', 'i32', [4], [2147483647, 90000, 300, 1]);

const cases: Readonly<Record<string, (maker: ProgramMaker) => Case>> = {
  'one row, as the recipe has it': () => {
    return { heads: 3, tokens: 33, wide: 1, depth: 32, exponential: { pow2: 8 }, bits: 16 };
  },
  'more rows than a workgroup takes': () => {
    return { heads: 2, tokens: 18, wide: 7, depth: 64, exponential: { pow2: 6 }, bits: 16 };
  },
  'a table, 8 bits, and rows that are read though they are wide, too': (maker) => {
    return { heads: 2, tokens: 21, wide: 2, depth: 8, exponential: { table: table(maker) }, bits: 8, from: 1 };
  },
};

describe.each([true, false])('attention of i16 queries, packed %s', (packed) => {
  it.each(Object.entries(cases))('%s', async (name, make) => {
    const maker = new ProgramMaker(createRandom(name.length * 5));
    const { others, output } = build(maker, make(maker));
    const choice = { packed, fuse: true };
    const made = await expectExact(interpret, maker.build(output), maker.pixels(2), 2, choice);
    expect(fused(made)).toEqual([others, output]);
  });
});

describe('attention of i16 queries', () => {
  const one: Case = { heads: 2, tokens: 14, wide: 1, depth: 16, exponential: { pow2: 8 }, bits: 16 };

  it('runs with so many keys that a workgroup takes one', async () => {
    const maker = new ProgramMaker(createRandom(23));
    const { others, output } = build(maker, { ...one, heads: 1, tokens: 901, rows: 11, wide: 2, depth: 64 });
    const made = await expectExact(interpret, maker.build(output), maker.pixels(1), 1, { packed: true, fuse: true });
    expect(fused(made)).toEqual([others, output]);
  });

  it('runs alone where nobody needs the others', async () => {
    const maker = new ProgramMaker(createRandom(29));
    const { wide, output } = build(maker, one);
    const view = { offset: 0, shape: [2, 16], strides: [16, 1] };
    const last = maker.requantize({ value: output, view }, 'i32');
    const made = await expectExact(interpret, maker.build(last), maker.pixels(3), 3, { packed: true, fuse: true });
    expect(fused(made)).toEqual([wide, output, last]);
  });

  it('stays apart where it is asked for, or weighs otherwise', async () => {
    const maker = new ProgramMaker(createRandom(31));
    const asked = build(maker, one);
    const choice = { packed: true, fuse: true };
    const outputs = [asked.output, asked.wide, asked.others];
    const made = await expectExact(interpret, maker.build(asked.output), maker.pixels(2), 2, choice, outputs);
    expect(made).toEqual(expect.arrayContaining(outputs));
    const other = new ProgramMaker(createRandom(37));
    const { wide, output } = build(other, { ...one, own: { pow2: 7 } });
    const apart = await expectExact(interpret, other.build(output), other.pixels(1), 1, choice);
    expect(apart).toContain(wide);
  });
});
