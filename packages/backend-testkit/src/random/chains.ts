import type { Exponential, Operand, Program } from '@ivit/program';
import { ChainMaker } from './chain-maker.js';
import { width as anyWidth } from './op-cases.js';
import type { Random } from './random.js';

/** Takes rows `[tokens, width]` of i8, i16 or i32 and makes others. */
type Step = (make: ChainMaker, x: string) => string;

const LAST = { axis: 1, run: 1 } as const;

/** linear → requantize (per channel, residual) → table: what backends fuse first. */
function dense(make: ChainMaker, x: string): string {
  const { random } = make;
  const outputs = random.integer(0, 1) === 0 ? make.width(x) : anyWidth(random);
  const acc = make.linear(make.narrow(x), outputs);
  const residual: Operand | undefined =
    random.integer(0, 1) === 0 && outputs === make.width(x) ? { value: x } : undefined;
  const scaled = make.requantize({ value: acc }, random.pick(['i8', 'i16'] as const), {
    ...LAST,
    perChannel: random.integer(0, 2) > 0,
    ...(residual === undefined ? {} : { residual }),
  });
  return random.integer(0, 1) === 0 ? table(make, scaled) : scaled;
}

/** GELU as a table: 256 entries for i8, a ramp table for i16. */
function table(make: ChainMaker, x: string): string {
  const { random } = make;
  if (make.type(x).dtype === 'i16') {
    const size = random.pick([2, 33, 577]);
    const entries = make.constant('i16', [size], [...random.list(size - 1, -400, 0), 0]);
    const result = make.name('ramp');
    return make.builder.add({ op: 'ramplookup', result, x: { value: x }, table: entries, u: random.integer(0, 5) });
  }
  const channels = random.integer(0, 1) === 0 ? undefined : make.width(x);
  const shape = channels === undefined ? [256] : [channels, 256];
  const entries = make.constant('i16', shape, random.list((channels ?? 1) * 256, -32768, 32767));
  return make.builder.add({ op: 'lookup', result: make.name('looked'), x: { value: make.narrow(x) }, table: entries });
}

/** layernorm → requantize → rowscale, rowquantize → linear → requantize(row, bias, residual): the recipe's pattern. */
function dynamicDense(make: ChainMaker, x: string): string {
  const { builder, random } = make;
  const y = make.wide(x);
  const length = make.width(y);
  const normal = builder.add({ op: 'layernorm', result: make.name('norm'), x: { value: y } });
  const scaled = make.requantize({ value: normal }, 'i16', { ...LAST, perChannel: true });
  const z = random.pick([0, 0, 16, -112]);
  const slots = random.integer(0, 2) === 0 ? random.integer(1, 3) : 0;
  const extra = random.list(slots, 0, length - 1);
  const sides = extra.map(() => random.pick([1, -1]));
  const capacity = (side: number, base: number): number[] =>
    Array.from({ length }, (_, c) => base + 255 * extra.filter((e, i) => e === c && sides[i] === side).length);
  const row = builder.add({
    op: 'rowscale',
    result: make.name('row'),
    x: { value: scaled },
    cp: slots === 0 ? 127 - z : make.vector('i32', capacity(1, 127 - z)),
    cn: slots === 0 ? 128 + z : make.vector('i32', capacity(-1, 128 + z)),
  });
  const own = Array.from({ length }, (_, c) => c);
  const quantized = builder.add({
    op: 'rowquantize',
    result: make.name('rows'),
    x: { value: scaled },
    row: { value: row },
    z,
    ...(slots === 0
      ? {}
      : {
          channels: make.constant('i32', [length + slots], [...own, ...extra]),
          slot: make.constant('i8', [length + slots], [...own.map(() => 0), ...sides]),
        }),
  });
  const acc = make.linear(quantized, random.integer(0, 1) === 0 ? length : anyWidth(random));
  const residual: Operand | undefined =
    make.width(acc) === length && random.integer(0, 2) > 0 ? { value: y } : undefined;
  return make.requantize({ value: acc }, random.pick(['i8', 'i16'] as const), {
    ...LAST,
    perChannel: true,
    row: { value: row },
    ...(residual === undefined ? {} : { residual }),
  });
}

function exponentialOf(make: ChainMaker): Exponential {
  const { random } = make;
  const form = random.integer(0, 2);
  if (form === 0) return { pow2: random.integer(0, 8) };
  if (form === 1) return { shift: -random.integer(1, 200), n: random.integer(8, 15) };
  const entries = random.list(20, 1, 1 << 20).sort((a, b) => b - a);
  return { table: make.constant('i32', [20], entries) };
}

/** Self-attention on views: q·kᵀ per head → requantize per head → softmax → ·v → requantize per channel. */
function attention(make: ChainMaker, x: string): string {
  const { builder, random, tokens } = make;
  const [heads, depth] = [random.integer(1, 3), random.integer(1, 8)];
  const inner = heads * depth;
  const acc = make.linear(make.narrow(x), 3 * inner);
  const packed = builder.reshape(acc, [tokens, 3, heads, depth]);
  const qkv = make.requantize(packed, 'i8', { axis: 1, run: random.pick([2, 3]), perChannel: true });
  const strides = [depth, 3 * inner, 1];
  const part = (index: number): Operand => ({
    value: qkv,
    view: { offset: index * inner, shape: [heads, tokens, depth], strides },
  });
  const keys: Operand = {
    value: qkv,
    view: { offset: inner, shape: [heads, depth, tokens], strides: [depth, 1, 3 * inner] },
  };
  const logits = builder.add({ op: 'matmul', result: make.name('logits'), a: part(0), b: keys });
  const scaled = make.requantize({ value: logits }, random.pick(['i8', 'i16'] as const), {
    axis: 0,
    run: 1,
    perChannel: random.integer(0, 1) === 0,
  });
  const weights = builder.add({
    op: 'softmax',
    result: make.name('weights'),
    x: { value: scaled },
    exponential: exponentialOf(make),
    bits: random.pick([8, 16] as const),
  });
  const mixed = builder.add({ op: 'matmul', result: make.name('mixed'), a: { value: weights }, b: part(2) });
  // [heads, tokens, depth] seen as [tokens, heads, depth]: the scales run over heads and depth.
  const seen = builder.transpose(mixed, [heads, tokens, depth], [1, 0, 2]);
  const joined = make.requantize(seen, random.pick(['i8', 'i16'] as const), { axis: 1, run: 2, perChannel: true });
  const rows = make.constant('i32', [tokens], random.list(tokens, 0, tokens - 1));
  return builder.add({ op: 'gather', result: make.name('heads'), x: { value: joined }, rows, width: inner }, [
    tokens,
    inner,
  ]);
}

/** layernorm → requantize i8 → linear → requantize → shiftgelu → requantize: the paper's pattern. */
function paperDense(make: ChainMaker, x: string): string {
  const { builder, random } = make;
  const y = make.type(x).dtype === 'i32' ? make.wide(x) : x;
  const length = make.width(y);
  const b = make.constant('i32', [length], random.list(length, -(1 << 29), 1 << 29));
  const normal = builder.add({ op: 'layernorm', result: make.name('norm'), x: { value: y }, b });
  const scaled = make.requantize({ value: normal }, 'i8', { ...LAST, perChannel: true });
  const acc = make.linear(scaled, anyWidth(random));
  const hidden = make.requantize({ value: acc }, 'i8', { ...LAST, perChannel: true });
  const [x0, n] = [-random.integer(1, 127), random.integer(8, 23)];
  const active = builder.add({ op: 'shiftgelu', result: make.name('gelu'), x: { value: hidden }, x0, n });
  return make.requantize({ value: active }, random.pick(['i8', 'i16'] as const));
}

/** A constant row before the tokens and one token dropped: the class token's way in. */
function shiftTokens(make: ChainMaker, x: string): string {
  const { builder, random, tokens } = make;
  const { dtype } = make.type(x);
  const length = make.width(x);
  const row = make.constant(dtype, [1, length], random.list(length, -128, 127));
  const result = make.name('joined');
  const joined = builder.add({ op: 'concat', result, operands: [{ constant: row }, { value: x }] });
  const rows = make.constant('i32', [tokens], random.list(tokens, 0, tokens));
  return builder.add({ op: 'gather', result: make.name('kept'), x: { value: joined }, rows, width: length }, [
    tokens,
    length,
  ]);
}

/** The mean token, added to every token. */
function addMean(make: ChainMaker, x: string): string {
  const average = make.builder.add({ op: 'mean', result: make.name('mean'), x: { value: x }, axis: 0 });
  return make.requantize({ value: x }, 'i16', { residual: { value: average } });
}

const STEPS: readonly Step[] = [
  dense,
  dense,
  dynamicDense,
  dynamicDense,
  attention,
  paperDense,
  shiftTokens,
  addMean,
  table,
];

/**
 * A program of several steps as models have them, with random shapes, parameters and branches: whatever a backend fuses,
 * reorders or keeps in the same memory is in it. Its output is an i32 vector per token.
 */
export function randomChain(random: Random, steps: number): Program {
  const make = new ChainMaker(random, random.pick([1, 2, 3, 4, 5, 8, 9, 17]), anyWidth(random));
  const entries = make.constant('i8', [256], random.list(256, -128, 127));
  let x = make.builder.add({ op: 'lookup', result: make.name('tokens'), x: { value: 'pixels' }, table: entries });
  for (let step = 0; step < steps; step++) x = random.pick(STEPS)(make, x);
  return make.builder.build({ output: make.requantize({ value: x }, 'i32', { ...LAST, perChannel: true }) });
}
