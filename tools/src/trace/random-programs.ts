import {
  createProgramBuilder,
  type DType,
  type Operand,
  type OpName,
  type Program,
  type ProgramBuilder,
} from '@ivit/program';
import type { Random } from './random.js';

/** Values near the ends of a range and near powers of two find more mistakes than uniform ones. */
function edgy(random: Random, count: number, lo: number, hi: number): number[] {
  return Array.from({ length: count }, () => {
    const kind = random.integer(0, 3);
    if (kind === 0) return random.integer(lo, hi);
    if (kind === 1) return random.pick([lo, hi, 0, 1, -1].filter((value) => value >= lo && value <= hi));
    const power = random.pick([-1, 1]) * 2 ** random.integer(0, 30) + random.integer(-2, 2);
    return Math.min(hi, Math.max(lo, power));
  });
}

class CaseMaker {
  readonly builder: ProgramBuilder;
  readonly #random: Random;
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
    this.builder = createProgramBuilder('pixels', [4, 6, 3]);
  }

  name(stem: string): string {
    this.#names += 1;
    return `${stem}${this.#names}`;
  }

  constant(dtype: DType, shape: readonly number[], data: readonly number[]): string {
    return this.builder.constant(this.name('c'), dtype, shape, data);
  }

  /** A value of any dtype and shape, made of the pixels; its entries span lo…hi. */
  value(dtype: DType, shape: readonly number[], lo: number, hi: number): Operand {
    const random = this.#random;
    const count = shape.reduce((product, size) => product * size, 1);
    const rows = this.constant('i32', [count], random.list(count, 0, 71));
    const bytes = this.builder.add(
      { op: 'gather', result: this.name('bytes'), x: { value: 'pixels' }, rows, width: 1 },
      shape,
    );
    if (dtype === 'u8') return { value: bytes };
    const table = this.constant(
      dtype === 'i8' ? 'i8' : 'i16',
      [256],
      edgy(random, 256, Math.max(lo, -32768), Math.min(hi, 32767)),
    );
    const looked = this.builder.add({ op: 'lookup', result: this.name('x'), x: { value: bytes }, table });
    if (dtype !== 'i32') return { value: looked };
    const m = Math.max(1, Math.floor(hi / 32768));
    const wide = {
      op: 'requantize',
      result: this.name('wide'),
      x: { value: looked },
      axis: 0,
      run: 0,
      to: 'i32',
    } as const;
    return { value: this.builder.add({ ...wide, m, e: 0, z: random.integer(-1000, 1000) }) };
  }

  /** The same elements under a view that is not dense. */
  transposed(operand: Operand, shape: readonly number[]): Operand {
    if (!('value' in operand)) return operand;
    const axes = shape.map((_, axis) => shape.length - 1 - axis);
    return this.builder.transpose(operand.value, shape, axes);
  }
}

type Maker = (make: CaseMaker, random: Random) => string;

function requantize(make: CaseMaker, random: Random): string {
  const channels = random.integer(1, 5);
  const x = make.value('i32', [3, channels], -(2 ** 30), 2 ** 30);
  const dynamic = random.integer(0, 1) === 1;
  const selected = random.integer(0, 1) === 1 ? random.integer(1, 7) : undefined;
  const count = selected ?? channels;
  const perChannel = random.integer(0, 1) === 1;
  const to = random.pick(['i8', 'i16', 'i32'] as const);
  const common = {
    op: 'requantize',
    result: make.name('y'),
    axis: 1,
    run: 1,
    to,
    z: random.integer(-200, 200),
    ...(selected === undefined ? {} : { channels: make.constant('i32', [count], random.list(count, 0, channels - 1)) }),
  } as const;
  const addend =
    random.integer(0, 1) === 1
      ? {
          addend: {
            operand: make.value('i16', [count], -32768, 32767),
            m: random.integer(-(2 ** 20), 2 ** 20),
            e: random.integer(0, 30),
          },
        }
      : {};
  if (!dynamic) {
    // |x| < 2^31 and |m| < 2^29 stay below the numerator's 2^62; the terms below 2^52 need e ≥ 8.
    const m = perChannel
      ? { constant: make.constant('i32', [count], edgy(random, count, -(2 ** 29), 2 ** 29)) }
      : random.integer(-(2 ** 29), 2 ** 29);
    const e = perChannel
      ? { constant: make.constant('u8', [count], random.list(count, 8, 62)) }
      : random.integer(8, 62);
    return make.builder.add({ ...common, x, m, e, ...addend });
  }
  const narrow = make.value('i32', [3, channels], -(2 ** 24), 2 ** 24);
  const codes = make.value('i16', [3, 4], -32768, 32767);
  const row = make.builder.add({ op: 'rowscale', result: make.name('row'), x: codes, cp: 127, cn: 128 });
  const m = { constant: make.constant('i32', [count], random.list(count, -(2 ** 16), 2 ** 16)) };
  const bias = make.constant('i32', [count], edgy(random, count, -(2 ** 31 - 1), 2 ** 31 - 1));
  const k = random.integer(0, 20);
  return make.builder.add({
    ...common,
    x: narrow,
    m,
    e: random.integer(20, 50),
    row: { value: row },
    bias,
    k,
    ...addend,
  });
}

function quantizeRows(make: CaseMaker, random: Random): string {
  const channels = random.integer(1, 9);
  const limit = random.pick([7, 200, 3000, 32767]);
  const x = make.value('i16', [4, channels], -limit, limit);
  const z = random.pick([0, 16, -16, 32, -120, 113]);
  const slots = random.integer(0, 1) === 1;
  const width = channels + (slots ? 3 : 0);
  const cp = slots ? { constant: make.constant('i32', [channels], random.list(channels, 7, 900)) } : 127 - z;
  const cn = slots ? { constant: make.constant('i32', [channels], random.list(channels, 7, 900)) } : 128 + z;
  const row = make.builder.add({ op: 'rowscale', result: make.name('row'), x, cp, cn });
  const split = {
    channels: make.constant(
      'i32',
      [width],
      [...Array(channels).keys(), ...random.list(width - channels, 0, channels - 1)],
    ),
    slot: make.constant('i8', [width], [...Array(channels).fill(0), ...random.list(width - channels, -3, 3)]),
  };
  return make.builder.add({
    op: 'rowquantize',
    result: make.name('y'),
    x,
    row: { value: row },
    z,
    ...(slots ? split : {}),
  });
}

function linear(make: CaseMaker, random: Random): string {
  const inputs = random.integer(1, 19);
  const outputs = random.integer(1, 7);
  const x = make.value('i8', [3, inputs], -128, 127);
  const w = make.constant('i8', [outputs, inputs], edgy(random, outputs * inputs, -128, 127));
  const b =
    random.integer(0, 1) === 1 ? { b: make.constant('i32', [outputs], random.list(outputs, -(2 ** 30), 2 ** 30)) } : {};
  return make.builder.add({ op: 'linear', result: make.name('y'), x, w, ...b });
}

function matmul(make: CaseMaker, random: Random): string {
  const [groups, rows, inner, columns] = [
    random.integer(1, 3),
    random.integer(1, 5),
    random.integer(1, 9),
    random.integer(1, 5),
  ];
  const wide = random.integer(0, 1) === 1;
  const a = make.value(wide ? 'i16' : 'i8', [groups, rows, inner], wide ? -20000 : -128, wide ? 20000 : 127);
  const b = make.value('i8', [groups, inner, columns], -128, 127);
  const seen = make.value('i8', [columns, inner, groups], -128, 127);
  const right = random.integer(0, 1) === 1 ? b : make.transposed(seen, [columns, inner, groups]);
  return make.builder.add({ op: 'matmul', result: make.name('y'), a, b: right });
}

function softmax(make: CaseMaker, random: Random): string {
  const length = random.integer(1, 40);
  const bits = random.pick([8, 16] as const);
  const wide = random.integer(0, 1) === 1;
  const limit = wide ? random.pick([300, 5000, 32767]) : 127;
  const x = make.value(wide ? 'i16' : 'i8', [2, length], -limit, limit);
  const form = random.integer(0, 2);
  const n = random.integer(5, 16);
  const entries = random.list(9, 1, 2 ** 24).sort((a, b) => b - a);
  const exponential =
    form === 0
      ? { shift: -random.integer(1, 2 ** (30 - n)), n }
      : form === 1
        ? { table: make.constant('i32', [9], entries) }
        : { pow2: random.integer(0, 8) };
  return make.builder.add({ op: 'softmax', result: make.name('y'), x, exponential, bits });
}

function ramplookup(make: CaseMaker, random: Random): string {
  const size = random.integer(1, 30);
  const table = make.constant('i16', [size], [...edgy(random, size - 1, -32768, 32767), 0]);
  const x = make.value('i16', [5, 3], -100, 32767);
  return make.builder.add({ op: 'ramplookup', result: make.name('y'), x, table, u: random.integer(0, 8) });
}

function lookup(make: CaseMaker, random: Random): string {
  const channels = random.integer(1, 4);
  const dtype = random.pick(['i8', 'i16'] as const);
  const hi = dtype === 'i8' ? 127 : 32767;
  const table = make.constant(dtype, [channels, 256], edgy(random, channels * 256, -hi - 1, hi));
  const x = make.value(random.pick(['u8', 'i8'] as const), [4, channels], -128, 127);
  return make.builder.add({ op: 'lookup', result: make.name('y'), x, table });
}

/** One maker per op; `rowscale` and `gather` are in the ways of others and need none of their own. */
const MAKERS: Readonly<Partial<Record<OpName, Maker>>> = {
  requantize,
  rowquantize: quantizeRows,
  linear,
  matmul,
  softmax,
  ramplookup,
  lookup,
  shiftgelu: (make, random) => {
    const limit = random.pick([3, 40, 127]);
    const shifted = make.value('i8', [3, random.integer(1, 12)], -128, random.pick([-1, limit]));
    return make.builder.add({
      op: 'shiftgelu',
      result: make.name('y'),
      x: shifted,
      x0: -random.integer(1, 127),
      n: random.integer(1, 23),
    });
  },
  layernorm: (make, random) => {
    const length = random.integer(1, 40);
    const limit = random.pick([2, 40, 900, 32767]);
    const x = make.value('i16', [3, length], -limit, limit);
    const b =
      random.integer(0, 1) === 1 ? { b: make.constant('i32', [length], random.list(length, -(2 ** 29), 2 ** 29)) } : {};
    return make.builder.add({ op: 'layernorm', result: make.name('y'), x, ...b });
  },
  mean: (make, random) => {
    const shape = [random.integer(1, 6), random.integer(1, 6), 3];
    const dtype = random.pick(['u8', 'i8', 'i16', 'i32'] as const);
    return make.builder.add({
      op: 'mean',
      result: make.name('y'),
      x: make.value(dtype, shape, -128, 127),
      axis: random.integer(0, 2),
    });
  },
  gather: (make, random) => {
    const count = random.integer(1, 6);
    const rows = make.constant('i32', [count], random.list(count, 0, 5));
    const x = make.transposed(make.value('i16', [4, 6], -32768, 32767), [4, 6]);
    return make.builder.add({ op: 'gather', result: make.name('y'), x, rows, width: 4 }, [2, count, 2]);
  },
  concat: (make, random) => {
    const operands = [random.integer(1, 4), random.integer(1, 4)].map((size) => make.value('i8', [size, 3], -128, 127));
    const row = make.constant('i8', [1, 3], random.list(3, -128, 127));
    return make.builder.add({ op: 'concat', result: make.name('y'), operands: [{ constant: row }, ...operands] });
  },
};

export const CASE_OPS: readonly OpName[] = Object.keys(MAKERS) as OpName[];

/** A small program around one op of random shape and parameters, valid by construction; its output is the op's result. */
export function randomProgram(op: OpName, random: Random): Program {
  const maker = MAKERS[op];
  if (maker === undefined) throw new RangeError(`no cases for '${op}'`);
  const make = new CaseMaker(random);
  return make.builder.build({ output: maker(make, random) });
}
