import { createRandom, interpret } from '@ivit/backend-testkit';
import { describe, expect, it } from 'vitest';
import { ProgramMaker } from '../../testing/program-maker.js';
import { expectExact } from '../../testing/run-program.js';

const CHANNELS = { axis: 1, run: 1 } as const;

/** A program, the values that have a dispatch of their own behind the first, and others that are handed out. */
interface Case {
  readonly make: (maker: ProgramMaker) => readonly [output: string, first: string];
  readonly dispatches: number;
}

const cases: Readonly<Record<string, Case>> = {
  'a head of 10 classes, sums as they are': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.value('i8', [5, 48]);
      return [maker.linear({ value: x }, 48, 10, true), x];
    },
  },
  'rows under a view, every second one': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.value('i8', [19, 64]);
      const view = { offset: 8, shape: [9, 20], strides: [128, 1] };
      return [maker.linear({ value: x, view }, 20, 33, true), x];
    },
  },
  'requantize by head and part, to i8': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.value('i8', [17, 36]);
      const sum = maker.linear({ value: x }, 36, 72, false);
      const parts = maker.builder.reshape(sum, [17, 3, 4, 6]);
      return [maker.requantize(parts, 'i8', { axis: 1, run: 2, channels: 12 }), x];
    },
  },
  'more than one block of columns and chunk of depth': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.value('i8', [9, 1040]);
      const sum = maker.linear({ value: x }, 1040, 300, true);
      return [maker.requantize({ value: sum }, 'i8', { ...CHANNELS, channels: 300 }), x];
    },
  },
  'requantize with a position, then with a residual': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.value('i8', [12, 16]);
      const residual = maker.value('i16', [12, 20]);
      const sum = maker.linear({ value: x }, 16, 20, true);
      const position = { constant: maker.constant('i16', [12, 20], -32768, 32767) };
      const first = maker.requantize({ value: sum }, 'i16', { ...CHANNELS, channels: 20, addend: position });
      return [maker.requantize({ value: first }, 'i16', { addend: { value: residual } }), residual];
    },
  },
  'row scales of i16 rows, a row-dynamic requantize, a residual that repeats': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.uneven('i16', [11, 520]);
      const { row, codes } = maker.quantizeRows({ value: x }, -100);
      const sum = maker.linear({ value: codes }, 520, 18, true);
      const addend = { constant: maker.constant('i32', [18], -(2 ** 20), 2 ** 20) };
      return [maker.requantize({ value: sum }, 'i16', { ...CHANNELS, channels: 18, row, addend }), x];
    },
  },
  'a norm, row scales, a row-dynamic requantize and GELU': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.uneven('i16', [10, 192]);
      const { row, codes } = maker.quantizeRows({ value: maker.norm(x, 'i16', false) }, 0);
      const sum = maker.linear({ value: codes }, 192, 268, false);
      const wide = maker.requantize({ value: sum }, 'i16', { ...CHANNELS, channels: 268, row });
      return [maker.requantize({ value: maker.ramp(wide) }, 'i16'), x];
    },
  },
  'rows so long that a workgroup takes four': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.uneven('i16', [6, 1200]);
      const { row, codes } = maker.quantizeRows({ value: maker.norm(x, 'i16', true) }, 5);
      const sum = maker.linear({ value: codes }, 1200, 16, true);
      return [maker.requantize({ value: sum }, 'i8', { ...CHANNELS, channels: 16, row }), x];
    },
  },
  'a norm to i8, a table by channel': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.value('i16', [9, 32]);
      const sum = maker.linear({ value: maker.norm(x, 'i8', true) }, 32, 24, true);
      const narrow = maker.requantize({ value: sum }, 'i8', { ...CHANNELS, channels: 24 });
      const table = maker.constant('i16', [24, 256], -32768, 32767);
      return [maker.builder.add({ op: 'lookup', result: 'looked', x: { value: narrow }, table }), x];
    },
  },
  'shiftgelu and its requantize, more than a chunk of depth': {
    dispatches: 1,
    make: (maker) => {
      const x = maker.uneven('i8', [11, 600]);
      const gelu = { op: 'shiftgelu', result: 'gelu', x: { value: x }, x0: -23, n: 21 } as const;
      const scaled = maker.requantize({ value: maker.builder.add(gelu) }, 'i8', { ...CHANNELS, channels: 600 });
      return [maker.requantize({ value: maker.linear({ value: scaled }, 600, 20, true) }, 'i16'), x];
    },
  },
  'row codes that something else reads, too': {
    dispatches: 4,
    make: (maker) => {
      const x = maker.value('i16', [7, 24]);
      const { row, codes } = maker.quantizeRows({ value: x }, 0);
      const sum = maker.linear({ value: codes }, 24, 8, false);
      const y = maker.requantize({ value: sum }, 'i16', { ...CHANNELS, channels: 8, row });
      return [
        maker.requantize({ value: row }, 'i32', {
          addend: { value: y, view: { offset: 0, shape: [7], strides: [8] } },
        }),
        x,
      ];
    },
  },
};

describe.each([true, false])('linear and what is around it, packed %s', (packed) => {
  it.each(Object.entries(cases))('%s', async (name, { make, dispatches }) => {
    const maker = new ProgramMaker(createRandom(name.length * 7));
    const [output, first] = make(maker);
    const program = maker.build(output);
    const made = await expectExact(interpret, program, maker.pixels(3), 3, {
      packed,
      fuse: true,
      groups: packed ? 1 : 1000,
    });
    expect(made.slice(made.indexOf(first) + 1).length).toBe(dispatches);
  });
});

it('keeps a value that is asked for', async () => {
  const maker = new ProgramMaker(createRandom(4));
  const x = maker.value('i16', [10, 64]);
  const norm = maker.norm(x, 'i16', false);
  const { row, codes } = maker.quantizeRows({ value: norm }, 0);
  const sum = maker.linear({ value: codes }, 64, 16, false);
  const y = maker.requantize({ value: sum }, 'i16', { ...CHANNELS, channels: 16, row });
  const program = maker.build(y);
  const asked = [y, sum, norm, row];
  const made = await expectExact(interpret, program, maker.pixels(2), 2, { packed: false, fuse: true }, asked);
  expect(made).toEqual(expect.arrayContaining(asked));
});
