import type { Addend, OpName, Program, RequantizeOp } from '@ivit/program';
import { CaseMaker, edgy, multiplier } from './case-maker.js';
import type { Random } from './random.js';

/** Adds an op and what feeds it; returns the name of its result. */
type Maker = (make: CaseMaker, random: Random) => string;

const TO = ['i8', 'i16', 'i32'] as const;

/** A width: mostly small, sometimes just around a vector's or a tile's. */
export function width(random: Random): number {
  return random.integer(0, 3) === 0 ? random.pick([15, 16, 17, 31, 32, 33]) : random.integer(1, 9);
}

function addendOf(make: CaseMaker, shape: readonly number[]): { addend?: Addend } {
  const { random } = make;
  if (random.integer(0, 1) === 0) return {};
  // Missing leading axes and axes of size 1 broadcast.
  const kept = shape.slice(random.integer(0, shape.length - 1)).map((size) => (random.integer(0, 3) === 0 ? 1 : size));
  const operand = make.seen(random.pick(['u8', 'i8', 'i16', 'i32'] as const), kept, -(2 ** 20), 2 ** 20);
  return { addend: { operand, m: multiplier(random, 30), e: random.integer(0, 40) } };
}

function requantize(make: CaseMaker, random: Random): string {
  const common = {
    op: 'requantize',
    result: make.name('y'),
    to: random.pick(TO),
    z: random.integer(-200, 200),
  } as const;
  // |x| < 2^31 and |m| < 2^29 stay below the numerator's 2^62; the terms below 2^52 need e ≥ 8.
  const m = (count: number): number[] => Array.from({ length: count }, () => multiplier(random, 29));
  const form = random.integer(0, 3);
  if (form === 0) {
    const shape = [random.integer(1, 4), width(random)];
    const x = make.seen(random.pick(['u8', 'i8', 'i16', 'i32'] as const), shape, -(2 ** 30), 2 ** 30);
    const [scale = 1] = m(1);
    return make.builder.add({
      ...common,
      x,
      m: scale,
      e: random.integer(8, 62),
      axis: 0,
      run: 0,
      ...addendOf(make, shape),
    });
  }
  if (form === 1) {
    // A run somewhere in the middle, of one axis or two: heads, or channels before an inner axis.
    const shape = [random.integer(1, 3), random.integer(1, 4), random.integer(1, 3), random.integer(1, 9)];
    const axis = random.integer(0, 2);
    const run = random.integer(1, 2);
    const count = shape.slice(axis, axis + run).reduce((product, size) => product * size, 1);
    const x = make.seen('i32', shape, -(2 ** 30), 2 ** 30);
    const e = random.integer(0, 1) === 0 ? random.integer(8, 40) : make.vector('u8', random.list(count, 8, 40));
    return make.builder.add({ ...common, x, m: make.vector('i32', m(count)), e, axis, run, ...addendOf(make, shape) });
  }
  const channels = width(random);
  const chosen = random.integer(0, 1) === 1 ? random.integer(1, 2 * channels) : undefined;
  const count = chosen ?? channels;
  const shape = [random.integer(1, 4), channels];
  const op: Omit<RequantizeOp, 'm' | 'e' | 'x'> = {
    ...common,
    z: random.integer(0, 1) === 0 ? common.z : make.vector('i32', edgy(random, count, -(2 ** 31), 2 ** 31 - 1)),
    axis: 1,
    run: 1,
    ...(chosen === undefined ? {} : { channels: make.constant('i32', [count], random.list(count, 0, channels - 1)) }),
    ...addendOf(make, [shape[0] as number, count]),
  };
  if (form === 2) {
    const x = make.seen('i32', shape, -(2 ** 30), 2 ** 30);
    const e = random.integer(0, 1) === 0 ? random.integer(8, 62) : make.vector('u8', random.list(count, 8, 62));
    return make.builder.add({ ...op, x, m: make.vector('i32', m(count)), e });
  }
  // Row-dynamic: |x|·31 stays in i32; x·f·2^E·m and bias·2^k below 2^61 each, terms below 2^52.
  const x = make.seen('i32', shape, -(2 ** 24), 2 ** 24);
  const codes = make.value('i16', [shape[0] as number, 4], -32768, 32767);
  const capacity = random.integer(7, 400);
  const row = make.builder.add({ op: 'rowscale', result: make.name('row'), x: codes, cp: capacity, cn: capacity + 1 });
  const bias = make.constant('i32', [count], edgy(random, count, -(2 ** 31 - 1), 2 ** 31 - 1));
  return make.builder.add({
    ...op,
    x,
    m: make.vector('i32', random.list(count, -(2 ** 16), 2 ** 16)),
    e: random.integer(0, 1) === 0 ? random.integer(14, 62) : make.vector('u8', random.list(count, 14, 62)),
    row: { value: row },
    ...(random.integer(0, 3) === 0 ? {} : { bias, k: random.integer(0, 20) }),
  });
}

function quantizeRows(make: CaseMaker, random: Random): string {
  const channels = width(random);
  const limit = random.pick([7, 200, 3000, 32767]);
  const x = make.seen('i16', [4, channels], -limit - 1, limit);
  const z = random.pick([0, 16, -16, 32, -120, 113]);
  const slots = random.integer(0, 1) === 1;
  const count = channels + (slots ? 3 : 0);
  const cp = slots ? make.vector('i32', random.list(channels, 7, 900)) : 127 - z;
  const cn = slots ? make.vector('i32', random.list(channels, 7, 900)) : 128 + z;
  const row = make.builder.add({ op: 'rowscale', result: make.name('row'), x, cp, cn });
  const own = Array.from({ length: channels }, (_, c) => c);
  const split = {
    channels: make.constant('i32', [count], [...own, ...random.list(count - channels, 0, channels - 1)]),
    slot: make.constant('i8', [count], [...own.map(() => 0), ...random.list(count - channels, -3, 3)]),
  };
  const result = make.name('y');
  return make.builder.add({ op: 'rowquantize', result, x, row: { value: row }, z, ...(slots ? split : {}) });
}

function linear(make: CaseMaker, random: Random): string {
  const [inputs, outputs] = [width(random), width(random)];
  const x = make.seen('i8', [random.integer(1, 9), inputs], -128, 127);
  const w = make.constant('i8', [outputs, inputs], edgy(random, outputs * inputs, -128, 127));
  const b =
    random.integer(0, 1) === 1 ? { b: make.constant('i32', [outputs], random.list(outputs, -(2 ** 30), 2 ** 30)) } : {};
  return make.builder.add({ op: 'linear', result: make.name('y'), x, w, ...b });
}

function matmul(make: CaseMaker, random: Random): string {
  const groups = random.integer(1, 3);
  const [rows, inner, columns] = [random.integer(1, 9), width(random), random.integer(1, 9)];
  const a = make.seen(random.pick(['i8', 'i16'] as const), [groups, rows, inner], -32768, 32767);
  const b = make.seen('i8', [groups, inner, columns], -128, 127);
  return make.builder.add({ op: 'matmul', result: make.name('y'), a, b });
}

function softmax(make: CaseMaker, random: Random): string {
  const length = random.integer(0, 7) === 0 ? 65 : width(random);
  const limit = random.pick([20, 300, 5000, 32767]);
  const x = make.seen(random.pick(['i8', 'i16'] as const), [2, length], -limit, limit);
  const n = random.integer(1, 24);
  const size = random.integer(1, 40);
  const entries = random.list(size, 1, 1 << random.integer(4, 30)).sort((a, b) => b - a);
  const exponential = random.pick([
    { shift: -random.integer(1, 1 << Math.min(20, 30 - n)), n },
    { table: make.constant('i32', [size], entries) },
    { pow2: random.integer(0, 8) },
  ]);
  return make.builder.add({ op: 'softmax', result: make.name('y'), x, exponential, bits: random.pick([8, 16]) });
}

function ramplookup(make: CaseMaker, random: Random): string {
  const size = random.pick([1, 2, random.integer(3, 30), 577]);
  const table = make.constant('i16', [size], [...edgy(random, size - 1, -32768, 32767), 0]);
  const x = make.seen('i16', [3, width(random)], -random.pick([30, 600, 32768]), 32767);
  return make.builder.add({ op: 'ramplookup', result: make.name('y'), x, table, u: random.integer(0, 8) });
}

function lookup(make: CaseMaker, random: Random): string {
  const channels = width(random);
  const dtype = random.pick(['i8', 'i16'] as const);
  const hi = dtype === 'i8' ? 127 : 32767;
  const shape = random.integer(0, 1) === 0 ? [256] : [channels, 256];
  const count = shape.reduce((product, size) => product * size, 1);
  const table = make.constant(dtype, shape, edgy(random, count, -hi - 1, hi));
  const x = make.seen(random.pick(['u8', 'i8'] as const), [4, channels], -128, 127);
  return make.builder.add({ op: 'lookup', result: make.name('y'), x, table });
}

function shiftgelu(make: CaseMaker, random: Random): string {
  const x = make.seen('i8', [3, width(random)], -128, random.pick([-1, 3, 40, 127]));
  const [x0, n] = [-random.integer(1, 127), random.integer(1, 23)];
  return make.builder.add({ op: 'shiftgelu', result: make.name('y'), x, x0, n });
}

function layernorm(make: CaseMaker, random: Random): string {
  const length = random.integer(0, 5) === 0 ? 65 : width(random);
  const limit = random.pick([2, 40, 900, 32767]);
  const x = make.seen(random.pick(['i8', 'i16'] as const), [3, length], -limit, limit);
  // The largest |b| the proof allows: M - ⌊1.02·2^30⌋.
  const b = make.constant('i32', [length], random.list(length, -1052266987, 1052266987));
  return make.builder.add({ op: 'layernorm', result: make.name('y'), x, ...(random.integer(0, 1) === 1 ? { b } : {}) });
}

function mean(make: CaseMaker, random: Random): string {
  const shape = [random.integer(1, 6), random.integer(1, 6), random.integer(1, 5)];
  const x = make.seen(random.pick(['u8', 'i8', 'i16', 'i32'] as const), shape, -(2 ** 30), 2 ** 30);
  return make.builder.add({ op: 'mean', result: make.name('y'), x, axis: random.integer(0, 2) });
}

function gather(make: CaseMaker, random: Random): string {
  const count = random.integer(1, 6);
  const rows = make.constant('i32', [count], random.list(count, 0, 5));
  const x = make.seen(random.pick(['u8', 'i8', 'i16', 'i32'] as const), [4, 6], -(2 ** 30), 2 ** 30);
  return make.builder.add({ op: 'gather', result: make.name('y'), x, rows, width: 4 }, [2, count, 2]);
}

function concat(make: CaseMaker, random: Random): string {
  const dtype = random.pick(['i8', 'i16', 'i32'] as const);
  const inner = [random.integer(1, 3), random.integer(1, 5)];
  const parts = Array.from({ length: random.integer(1, 3) }, () => {
    return make.seen(dtype, [random.integer(1, 4), ...inner], -(2 ** 30), 2 ** 30);
  });
  const size = inner.reduce((product, n) => product * n, 1);
  const row = { constant: make.constant(dtype, [1, ...inner], random.list(size, -128, 127)) };
  const operands = random.pick([[row, ...parts], [...parts, row], parts]);
  return make.builder.add({ op: 'concat', result: make.name('y'), operands });
}

function rowscale(make: CaseMaker, random: Random): string {
  const limit = random.pick([2, 200, 32767]);
  const x = make.seen('i16', [5, width(random)], -limit - 1, limit);
  return make.builder.add({
    op: 'rowscale',
    result: make.name('y'),
    x,
    cp: random.integer(7, 300),
    cn: random.pick([7, 128, 2 ** 31 - 1]),
  });
}

/** A softmax to log2 codes, its sum of exponentials proved to fit 31 bits. */
function softmaxLog2(make: CaseMaker, random: Random): string {
  const length = random.integer(0, 7) === 0 ? 65 : width(random);
  const limit = random.pick([20, 300, 5000, 32767]);
  const x = make.seen(random.pick(['i8', 'i16'] as const), [2, length], -limit, limit);
  const n = random.integer(1, 20);
  const size = random.integer(1, 60);
  const entries = random.list(size, 1, 1 << random.integer(1, 24)).sort((a, b) => b - a);
  const exponential = random.pick([
    { shift: -random.integer(1, 1 << Math.min(10, 24 - n)), n },
    { table: make.constant('i32', [size], entries) },
    { pow2: random.integer(0, 8) },
  ]);
  return make.builder.add({ op: 'softmax', result: make.name('codes'), x, exponential, bits: 8, log2: 4 });
}

/** Codes of a constant or of a softmax, times i8. */
function matmulLog2(make: CaseMaker, random: Random): string {
  const columns = random.integer(1, 9);
  if (random.integer(0, 1) === 0) {
    const codes = softmaxLog2(make, random);
    const inner = make.builder.type(codes).shape[1] as number;
    const b = make.seen('i8', [inner, columns], -128, 127);
    return make.builder.add({ op: 'matmul', result: make.name('y'), a: { value: codes }, b, log2: 4 });
  }
  const [rows, inner] = [random.integer(1, 9), width(random)];
  const a = { constant: make.constant('u8', [2, rows, inner], random.list(2 * rows * inner, 0, 15)) };
  const b = make.seen('i8', [2, inner, columns], -128, 127);
  return make.builder.add({ op: 'matmul', result: make.name('y'), a, b, log2: 4 });
}

/** An op, or a later version of one. */
export type CaseName = OpName | 'softmax@2' | 'matmul@2';

const MAKERS: Readonly<Record<CaseName, Maker>> = {
  requantize,
  rowscale,
  rowquantize: quantizeRows,
  linear,
  matmul,
  softmax,
  shiftgelu,
  layernorm,
  lookup,
  ramplookup,
  mean,
  gather,
  concat,
  'softmax@2': softmaxLog2,
  'matmul@2': matmulLog2,
};

const NAMES: readonly CaseName[] = [
  'requantize',
  'rowscale',
  'rowquantize',
  'linear',
  'matmul',
  'softmax',
  'shiftgelu',
  'layernorm',
  'lookup',
  'ramplookup',
  'mean',
  'gather',
  'concat',
  'softmax@2',
  'matmul@2',
];

/** The ops `randomProgram` makes cases of: all of ivit/1, and what ivit/1.1 adds. */
export const CASE_OPS: readonly CaseName[] = NAMES;

/** A small program around one op of random shape and parameters, valid by construction; its output is the op's result. */
export function randomProgram(op: CaseName, random: Random): Program {
  const make = new CaseMaker(random, [4, 6, 3]);
  return make.builder.build({ output: MAKERS[op](make, random) });
}
