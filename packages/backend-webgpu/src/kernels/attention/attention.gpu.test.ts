import { createRandom, interpret } from '@ivit/backend-testkit';
import type { Exponential, Operand } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { ProgramMaker, type RequantizeWish } from '../../testing/program-maker.js';
import { expectExact } from '../../testing/run-program.js';

interface Case {
  readonly windows: number;
  readonly heads: number;
  readonly tokens: number;
  /** Tokens, from the first on, that ask. Default: all. */
  readonly queries?: number;
  readonly depth: number;
  readonly logits: readonly (RequantizeWish & { readonly to: 'i8' | 'i16'; readonly addend?: Operand })[];
  readonly exponential: Exponential;
  readonly bits: 8 | 16;
  readonly out: 'i8' | 'i16' | 'none';
}

/** q, k and v in one value `[windows, tokens, 3, heads, depth]`, as models have them. */
function build(maker: ProgramMaker, one: Case): { readonly output: string; readonly qkv: string } {
  const { windows, heads, tokens, depth, queries = tokens } = one;
  const qkv = maker.value('i8', [windows, tokens, 3, heads, depth]);
  const inner = heads * depth;
  const lead = windows === 1 ? [heads] : [windows, heads];
  const leadStrides = windows === 1 ? [depth] : [tokens * 3 * inner, depth];
  const part = (index: number, turned: boolean, count = tokens): Operand => ({
    value: qkv,
    view: {
      offset: index * inner,
      shape: [...lead, ...(turned ? [depth, count] : [count, depth])],
      strides: [...leadStrides, ...(turned ? [1, 3 * inner] : [3 * inner, 1])],
    },
  });
  const add = maker.builder.add;
  let x = add({ op: 'matmul', result: maker.name('logits'), a: part(0, false, queries), b: part(1, true) });
  for (const { to, ...wish } of one.logits) x = maker.requantize({ value: x }, to, wish);
  const { exponential, bits } = one;
  const p = add({ op: 'softmax', result: maker.name('p'), x: { value: x }, exponential, bits });
  const mixed = add({ op: 'matmul', result: maker.name('mixed'), a: { value: p }, b: part(2, false) });
  if (one.out === 'none') return { output: mixed, qkv };
  const shape = [...lead, queries, depth];
  const order = windows === 1 ? [1, 0, 2] : [0, 2, 1, 3];
  const seen = maker.builder.transpose(mixed, shape, order);
  const axis = windows === 1 ? 1 : 2;
  return { output: maker.requantize(seen, one.out, { axis, run: 2, channels: inner }), qkv };
}

const cases: Readonly<Record<string, (maker: ProgramMaker) => Case>> = {
  'the recipe: i16 logits per head, powers of two, 16 bits': () => ({
    windows: 1,
    heads: 3,
    tokens: 37,
    depth: 32,
    logits: [{ to: 'i16', axis: 0, run: 1, channels: 3 }],
    exponential: { pow2: 8 },
    bits: 16,
    out: 'i16',
  }),
  'the paper: i8 logits, Shiftmax, 16 bits': () => ({
    windows: 1,
    heads: 2,
    tokens: 17,
    depth: 24,
    logits: [{ to: 'i8' }],
    exponential: { shift: -25, n: 15 },
    bits: 16,
    out: 'i8',
  }),
  'windows with a bias and a mask, 8 bits': (maker) => ({
    windows: 4,
    heads: 2,
    tokens: 9,
    depth: 8,
    logits: [
      { to: 'i8', axis: 1, run: 1, channels: 2 },
      { to: 'i8', addend: { constant: maker.constant('i8', [2, 9, 9], -128, 127) } },
      { to: 'i16', addend: { constant: maker.constant('i32', [4, 1, 9, 9], -20000, 0) } },
    ],
    exponential: { shift: -9, n: 15 },
    bits: 8,
    out: 'i8',
  }),
  'a table whose sum saturates, sums as they are': (maker) => ({
    windows: 1,
    heads: 2,
    tokens: 300,
    depth: 4,
    logits: [{ to: 'i8' }],
    exponential: { table: maker.builder.constant('exp', 'i32', [3], [2147483647, 2000000000, 1]) },
    bits: 8,
    out: 'none',
  }),
  'so many keys that a workgroup takes four queries': () => ({
    windows: 1,
    heads: 1,
    tokens: 901,
    queries: 27,
    depth: 64,
    logits: [{ to: 'i16' }],
    exponential: { pow2: 5 },
    bits: 16,
    out: 'i16',
  }),
};

describe.each([true, false])('fused attention, packed %s', (packed) => {
  // The long one, whose exact products take seconds, once.
  const chosen = Object.entries(cases).filter(([name]) => packed || !name.startsWith('so many'));
  it.each(chosen)('%s', async (name, make) => {
    const maker = new ProgramMaker(createRandom(name.length));
    const { output, qkv } = build(maker, make(maker));
    const program = maker.build(output);
    const made = await expectExact(interpret, program, maker.pixels(2), 2, { packed, fuse: true });
    expect(made.slice(made.indexOf(qkv) + 1)).toEqual([output]);
  });
});

it('keeps apart what it cannot hold, and what is asked for', async () => {
  const maker = new ProgramMaker(createRandom(3));
  const one = cases['the paper: i8 logits, Shiftmax, 16 bits']?.(maker) as Case;
  const odd = build(maker, { ...one, depth: 6 });
  const made = await expectExact(interpret, maker.build(odd.output), maker.pixels(1), 1, { packed: false, fuse: true });
  expect(made.slice(made.indexOf(odd.qkv) + 1).length).toBeGreaterThan(1);
  const other = new ProgramMaker(createRandom(5));
  const { output } = build(other, one);
  const program = other.build(output);
  const asked = program.ops.filter(({ op }) => op === 'softmax').map(({ result }) => result);
  await expectExact(interpret, program, other.pixels(1), 1, { packed: false, fuse: true }, [output, ...asked]);
});
