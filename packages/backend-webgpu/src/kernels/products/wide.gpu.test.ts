import { createRandom, interpret } from '@ivit/backend-testkit';
import type { Operand } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { ProgramMaker, type RequantizeWish } from '../../testing/program-maker.js';
import { expectExact } from '../../testing/run-program.js';

interface Both {
  readonly rows: number;
  readonly wide: number;
  readonly width: number;
  readonly columns: number;
  /** Codes of a row with slots; 0: without. */
  readonly codes?: number;
  /** Right shift of the wide rows' entries. */
  readonly halve?: number;
  readonly residual?: boolean;
  readonly bias?: boolean;
  readonly to?: 'i8' | 'i16';
  /** The wide rows, where they are none of `x`. */
  readonly apart?: string;
}

/** Rows of `x` through one layer: the first as i16, the others as i8, and both together. */
function addBoth(maker: ProgramMaker, x: string, both: Both): string {
  return addLayer(maker, x, both).output;
}

/** The same, with the name of the i16 rows' sums. */
function addLayer(maker: ProgramMaker, x: string, both: Both): { readonly output: string; readonly sums: string } {
  const { rows, wide, width, columns, codes = 0, halve = 0, residual = false, bias = true, to = 'i16' } = both;
  const { builder } = maker;
  const part = (value: string, first: number, count: number, size: number): Operand => {
    return { value, view: { offset: first * size, shape: [count, size], strides: [size, 1] } };
  };
  const others = part(x, wide, rows - wide, width);
  const quantized = codes === 0 ? maker.quantizeRows(others, 3) : maker.quantizeWithSlots(others, -20, codes);
  const depth = codes === 0 ? width : codes;
  const w = maker.constant('i8', [columns, depth], -128, 127);
  const batch: Operand = {
    value: both.apart ?? x,
    view: { offset: 0, shape: [1, wide, width], strides: [wide * width, width, 1] },
  };
  const halved = { op: 'requantize', x: batch, m: 1, e: halve, z: 0, axis: 0, run: 0, to: 'i16' } as const;
  const a = halve === 0 ? batch : { value: builder.add({ ...halved, result: maker.name('halved') }) };
  const b: Operand = { constant: w, view: { offset: 0, shape: [1, width, columns], strides: [0, 1, depth] } };
  const wideSum = builder.add({ op: 'matmul', result: maker.name('wide'), a, b });
  const stream = residual ? maker.value('i16', [rows, columns]) : undefined;
  const added = (first: number, count: number): RequantizeWish =>
    stream === undefined ? {} : { addend: part(stream, first, count, columns) };
  const channels = { axis: 1, run: 1, channels: columns } as const;
  const first = maker.requantize(builder.reshape(wideSum, [wide, columns]), to, { ...channels, ...added(0, wide) });
  const offset = bias ? { b: maker.constant('i32', [columns], -(2 ** 20), 2 ** 20) } : {};
  const sum = builder.add({ op: 'linear', result: maker.name('sum'), x: { value: quantized.codes }, w, ...offset });
  const wish = { ...channels, row: quantized.row, ...added(wide, rows - wide) };
  const rest = maker.requantize({ value: sum }, to, wish);
  const operands = [{ value: first }, { value: rest }];
  return { output: builder.add({ op: 'concat', result: maker.name('both'), operands }), sums: wideSum };
}

/** A program's output, and the value behind which everything is one dispatch. */
type Case = (maker: ProgramMaker) => readonly [output: string, first: string];

const one = (both: Both): Case => {
  return (maker) => {
    const x = maker.uneven('i16', [both.rows, both.width]);
    return [addBoth(maker, x, both), x];
  };
};

const cases: Readonly<Record<string, Case>> = {
  'one wide row': one({ rows: 18, wide: 1, width: 64, columns: 24 }),
  'two wide rows, no bias, to i8': one({ rows: 11, wide: 2, width: 32, columns: 12, bias: false, to: 'i8' }),
  'more wide rows than a workgroup takes': one({ rows: 20, wide: 9, width: 24, columns: 20 }),
  'entries at the ends of i16': (maker) => {
    const x = maker.value('i16', [9, 500]);
    return [addBoth(maker, x, { rows: 9, wide: 4, width: 500, columns: 8 }), x];
  },
  'as few others as there can be': one({ rows: 2, wide: 1, width: 16, columns: 8 }),
  'rows in chunks, more than a block of columns': one({ rows: 10, wide: 1, width: 520, columns: 300 }),
  'halved entries': one({ rows: 9, wide: 1, width: 640, columns: 20, halve: 1 }),
  'slots, halved entries': one({ rows: 13, wide: 1, width: 600, columns: 20, codes: 632, halve: 2 }),
  'slots that end within a word': one({ rows: 9, wide: 2, width: 24, columns: 12, codes: 29 }),
  'one more slot than channels that fill a word': one({ rows: 7, wide: 1, width: 28, columns: 8, codes: 29 }),
  'a norm in front, tables behind': (maker) => {
    const x = maker.uneven('i16', [17, 192]);
    const both = { rows: 17, wide: 1, width: 192, columns: 268 };
    const wide = addBoth(maker, maker.norm(x, 'i16', false), both);
    return [maker.requantize({ value: maker.ramp(wide) }, 'i16'), x];
  },
  'a norm of long rows, of which a workgroup takes four': (maker) => {
    const x = maker.uneven('i16', [7, 1000]);
    const both = { rows: 7, wide: 3, width: 1000, columns: 16, halve: 3 };
    return [addBoth(maker, maker.norm(x, 'i16', true), both), x];
  },
};

describe.each([true, false])('rows that a layer takes as i16, packed %s', (packed) => {
  it.each(Object.entries(cases))('%s', async (name, make) => {
    const maker = new ProgramMaker(createRandom(name.length * 11));
    const [output, first] = make(maker);
    const choice = { packed, fuse: true, groups: packed ? 1 : 1000 };
    const made = await expectExact(interpret, maker.build(output), maker.pixels(3), 3, choice);
    expect(made.slice(made.indexOf(first) + 1)).toEqual([output]);
  });

  it('adds residuals to both', async () => {
    const maker = new ProgramMaker(createRandom(41));
    const x = maker.uneven('i16', [12, 40]);
    const output = addBoth(maker, x, { rows: 12, wide: 1, width: 40, columns: 20, residual: true, codes: 44 });
    const made = await expectExact(interpret, maker.build(output), maker.pixels(2), 2, { packed, fuse: true });
    expect(made.filter((value) => /^(halved|wide|sum|q|row|codes)/.test(value))).toEqual([]);
  });

  it('makes the wide rows alone where nobody needs the others', async () => {
    const maker = new ProgramMaker(createRandom(7));
    const x = maker.uneven('i16', [30, 64]);
    const both = addBoth(maker, x, { rows: 30, wide: 1, width: 64, columns: 20, codes: 70 });
    const view = { offset: 0, shape: [20], strides: [1] };
    const output = maker.requantize({ value: both, view }, 'i32');
    const made = await expectExact(interpret, maker.build(output), maker.pixels(3), 3, { packed, fuse: true });
    expect(made.slice(made.indexOf(x) + 1)).toEqual([both, output]);
  });
});

describe.each([true, false])('rows that are taken as i16 and lie in a value of their own, packed %s', (packed) => {
  it.each([
    { rows: 13, wide: 1, width: 64, columns: 24, residual: true },
    { rows: 12, wide: 6, width: 640, columns: 20, halve: 1, codes: 668 },
  ])('$wide of $width', async (both) => {
    const maker = new ProgramMaker(createRandom(both.width));
    const apart = maker.uneven('i16', [both.wide, both.width]);
    const x = maker.uneven('i16', [both.rows, both.width]);
    const output = addBoth(maker, x, { ...both, apart });
    const choice = { packed, fuse: true, groups: packed ? 1 : 1000 };
    const made = await expectExact(interpret, maker.build(output), maker.pixels(2), 2, choice);
    expect(made.filter((value) => /^(halved|wide|sum|q|row|codes)/.test(value))).toEqual([]);
    expect(made.at(-1)).toBe(output);
  });
});

describe.each([true, false])('columns that somebody else takes of products of i16, packed %s', (packed) => {
  it.each([
    { rows: 10, wide: 1, width: 48, columns: 72, to: 'i8' },
    { rows: 19, wide: 9, width: 496, columns: 300, to: 'i16' },
  ] as const)('of $wide rows, beside $to', async (both) => {
    const maker = new ProgramMaker(createRandom(both.width + 1));
    const x = maker.uneven('i16', [both.rows, both.width]);
    const { output, sums } = addLayer(maker, maker.norm(x, 'i16', false), both);
    const view = { offset: 0, shape: [both.wide, 24], strides: [both.columns, 1] };
    const aside = maker.requantize({ value: sums, view }, 'i16', { axis: 1, run: 1, channels: 24 });
    const last = maker.requantize({ value: aside }, 'i16');
    const choice = { packed, fuse: true, groups: packed ? 1 : 1000 };
    const program = maker.build(output);
    const made = await expectExact(interpret, program, maker.pixels(3), 3, choice, [output, last]);
    expect(made.slice(made.indexOf(x) + 1)).toEqual([output, last]);
    const asked = await expectExact(interpret, program, maker.pixels(1), 1, choice, [output, aside]);
    expect(asked).toContain(aside);
  });
});

describe.each([true, false])('slots in front of a layer, packed %s', (packed) => {
  it.each([36, 37, 48])('%s codes of 34 channels', async (count) => {
    const maker = new ProgramMaker(createRandom(count));
    const x = maker.uneven('i16', [11, 36]);
    const rows = { value: x, view: { offset: 0, shape: [11, 34], strides: [36, 1] } };
    const { row, codes } = maker.quantizeWithSlots(rows, 7, count);
    const sum = maker.linear({ value: codes }, count, 20, true);
    const y = maker.requantize({ value: sum }, 'i16', { axis: 1, run: 1, channels: 20, row });
    const made = await expectExact(interpret, maker.build(y), maker.pixels(3), 3, { packed, fuse: true });
    expect(made.slice(made.indexOf(x) + 1)).toEqual([y]);
  });
});

it('keeps apart what somebody else reads, or what is asked for', async () => {
  const maker = new ProgramMaker(createRandom(3));
  const x = maker.uneven('i16', [9, 48]);
  const norm = maker.norm(x, 'i16', false);
  const both = addBoth(maker, norm, { rows: 9, wide: 1, width: 48, columns: 16, codes: 52 });
  const output = maker.requantize({ value: both }, 'i16');
  const program = maker.build(output);
  const asked = [output, ...program.ops.slice(-10).map((op) => op.result)];
  const pixels = maker.pixels(2);
  for (const kept of [asked, [output, norm], [output, both]]) {
    const choice = { packed: false, fuse: true };
    const made = await expectExact(interpret, program, pixels, 2, choice, kept);
    expect(made).toEqual(expect.arrayContaining([...kept]));
  }
});
