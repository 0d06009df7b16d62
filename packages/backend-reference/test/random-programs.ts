import { createProgramBuilder, type DType, type Operand, type Program, type ProgramBuilder } from '@ivit/program';

/** Deterministic integers: a 32-bit mixing generator. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer in lo … hi. */
  int(lo: number, hi: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    mixed = (mixed ^ (mixed >>> 16)) >>> 0;
    return lo + Math.floor((mixed / 4294967296) * (hi - lo + 1));
  }

  ints(length: number, lo: number, hi: number): number[] {
    return Array.from({ length }, () => this.int(lo, hi));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T;
  }

  /** A multiplier of random size and sign, often a power of two (ties). */
  multiplier(): number {
    const size = 2 ** this.int(0, 30);
    const m = this.int(0, 3) === 0 ? size : this.int(size, size * 2 - 1);
    return this.int(0, 4) === 0 ? -m : m;
  }
}

/** Builder, generator and a counter for names. */
export interface Scene {
  readonly b: ProgramBuilder;
  readonly random: Random;
  name(): string;
}

function newScene(seed: number, shape: readonly number[]): Scene {
  let names = 0;
  return {
    b: createProgramBuilder('pixels', shape),
    random: new Random(seed),
    name: () => `v${names++}`,
  };
}

/** An i8 or i16 tensor of full range made from the pixels. */
function spread(scene: Scene, to: 'i8' | 'i16'): string {
  const { b, random, name } = scene;
  const table = name();
  b.constant(table, to, [256], to === 'i8' ? random.ints(256, -128, 127) : random.ints(256, -32768, 32767));
  return b.add({ op: 'lookup', result: name(), x: { value: 'pixels' }, table });
}

/** An i32 tensor [rows, n] of wide range. */
function wide(scene: Scene, rows: number, width: number, n: number): string {
  const { b, random, name } = scene;
  const x = spread(scene, 'i8');
  const w = b.constant(name(), 'i8', [n, width], random.ints(n * width, -128, 127));
  const bias = b.constant(name(), 'i32', [n], random.ints(n, -(2 ** random.int(2, 25)), 2 ** random.int(2, 25)));
  return b.add({ op: 'linear', result: name(), x: b.reshape(x, [rows, width]), w, b: bias });
}

function vector(scene: Scene, dtype: DType, values: readonly number[]): { readonly constant: string } {
  return { constant: scene.b.constant(scene.name(), dtype, [values.length], values) };
}

/** One random program per op form, exercising its views, parameters and boundaries. Sizes: rows × width of u8 pixels. */
export const FORMS: Readonly<Record<string, (scene: Scene, rows: number, width: number) => string>> = {
  'requantize per tensor': ({ b, random, name, ...rest }, rows, width) => {
    const x = wide({ b, random, name, ...rest }, rows, width, 3);
    const e = random.int(20, 62);
    const to = random.pick(['i8', 'i16', 'i32'] as const);
    return b.add({
      op: 'requantize',
      result: name(),
      x: { value: x },
      m: random.multiplier(),
      e,
      z: random.int(-9, 9),
      axis: 0,
      run: 0,
      to,
    });
  },
  'requantize per channel with channels and addend': (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = wide(scene, rows, width, 5);
    const chosen = random.ints(7, 0, 4);
    const addend = spread(scene, random.pick(['i8', 'i16']));
    const view = { offset: random.int(0, rows * width - rows), shape: [rows, 7], strides: [1, 0] };
    return b.add({
      op: 'requantize',
      result: name(),
      x: { value: x },
      m: vector(
        scene,
        'i32',
        Array.from({ length: 7 }, () => random.multiplier()),
      ),
      e: vector(scene, 'u8', random.ints(7, 18, 62)),
      z: vector(scene, 'i32', random.ints(7, -300, 300)),
      channels: b.constant(name(), 'i32', [7], chosen),
      axis: 1,
      run: 1,
      addend: { operand: { value: addend, view }, m: random.multiplier(), e: random.int(22, 40) },
      to: random.pick(['i8', 'i16', 'i32']),
    });
  },
  'requantize per head on a transposed view': (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = wide(scene, rows, width, 6);
    return b.add({
      op: 'requantize',
      result: name(),
      x: b.transpose(x, [rows, 2, 3], [1, 0, 2]),
      m: vector(scene, 'i32', [random.multiplier(), random.multiplier()]),
      e: random.int(20, 40),
      z: 0,
      axis: 0,
      run: 1,
      to: 'i16',
    });
  },
  'requantize over a run of two axes': (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = wide(scene, rows, width, 6);
    const m = vector(
      scene,
      'i32',
      Array.from({ length: 6 }, () => random.multiplier()),
    );
    const view = b.transpose(x, [rows, 2, 3], [0, 2, 1]);
    return b.add({ op: 'requantize', result: name(), x: view, m, e: 31, z: 0, axis: 1, run: 2, to: 'i16' });
  },
  'requantize ties': (scene, _rows, _width) => {
    const { b, random, name } = scene;
    const x = spread(scene, 'i16');
    return b.add({
      op: 'requantize',
      result: name(),
      x: { value: x },
      m: random.pick([1, -1, 3, 2 ** 20]),
      e: random.int(0, 24),
      z: 0,
      axis: 0,
      run: 0,
      to: 'i16',
    });
  },
  'row-dynamic linear': (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = spread(scene, 'i16');
    const z = random.pick([-112, -32, 0, 16]);
    const slots = random.int(0, 2);
    const caps = (base: number, used: readonly number[]): number[] =>
      Array.from({ length: width }, (_, c) => base + 255 * used.filter((s) => s === c).length);
    const up = random.ints(slots, 0, width - 1);
    const down = random.ints(slots, 0, width - 1);
    const input = b.reshape(x, [rows, width]);
    const row = b.add({
      op: 'rowscale',
      result: name(),
      x: input,
      cp: slots === 0 ? 127 - z : vector(scene, 'i32', caps(127 - z, up)),
      cn: slots === 0 ? 128 + z : vector(scene, 'i32', caps(128 + z, down)),
    });
    const order = [...Array.from({ length: width }, (_, c) => c), ...up, ...down];
    const slot = [...new Array<number>(width).fill(0), ...up.map((_, i) => i + 1), ...down.map((_, i) => -i - 1)];
    const q = b.add({
      op: 'rowquantize',
      result: name(),
      x: input,
      row: { value: row },
      z,
      ...(slots === 0
        ? {}
        : {
            channels: b.constant(name(), 'i32', [order.length], order),
            slot: b.constant(name(), 'i8', [order.length], slot),
          }),
    });
    const w = b.constant(name(), 'i8', [4, order.length], random.ints(4 * order.length, -127, 127));
    const acc = b.add({ op: 'linear', result: name(), x: { value: q }, w });
    return b.add({
      op: 'requantize',
      result: name(),
      x: { value: acc },
      m: vector(
        scene,
        'i32',
        Array.from({ length: 4 }, () => random.int(2 ** 15, 2 ** 19) * random.pick([1, -1])),
      ),
      e: random.int(14, 31),
      z: random.int(-3, 3),
      axis: 1,
      run: 1,
      row: { value: row },
      bias: b.constant(name(), 'i32', [4], random.ints(4, -(2 ** 30), 2 ** 30)),
      k: random.int(0, 20),
      addend: {
        operand: { value: x, view: { offset: 0, shape: [rows, 4], strides: [width, 0] } },
        m: random.int(1, 2 ** 29),
        e: 30,
      },
      to: 'i16',
    });
  },
  'matmul of i16 by i8 on views': (scene, rows, width) => {
    const { b, name } = scene;
    const a = spread(scene, 'i16');
    const y = spread(scene, 'i8');
    return b.add({
      op: 'matmul',
      result: name(),
      a: b.transpose(a, [rows, width], [0, 1]),
      b: { value: y, view: { offset: 0, shape: [width, rows], strides: [1, width] } } satisfies Operand,
    });
  },
  'softmax shift': (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = spread(scene, random.pick(['i8', 'i16']));
    const exponential = { shift: -random.int(1, 400), n: random.int(8, 16) };
    return b.add({
      op: 'softmax',
      result: name(),
      x: b.reshape(x, [rows, width]),
      exponential,
      bits: random.pick([8, 16]),
    });
  },
  'softmax table': (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = spread(scene, 'i8');
    const entries = random.ints(random.int(1, 40), 1, 2 ** random.int(4, 30)).sort((p, q) => q - p);
    const table = b.constant(name(), 'i32', [entries.length], entries);
    return b.add({
      op: 'softmax',
      result: name(),
      x: b.reshape(x, [rows, width]),
      exponential: { table },
      bits: random.pick([8, 16]),
    });
  },
  'softmax pow2': (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = spread(scene, random.pick(['i8', 'i16']));
    const exponential = { pow2: random.int(0, 8) };
    return b.add({
      op: 'softmax',
      result: name(),
      x: b.reshape(x, [rows, width]),
      exponential,
      bits: random.pick([8, 16]),
    });
  },
  shiftgelu: (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = spread(scene, 'i8');
    return b.add({
      op: 'shiftgelu',
      result: name(),
      x: b.reshape(x, [rows, width]),
      x0: -random.int(1, 127),
      n: random.int(1, 23),
    });
  },
  layernorm: (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = spread(scene, random.pick(['i8', 'i16']));
    const bias = b.constant(name(), 'i32', [width], random.ints(width, -1052266987, 1052266987));
    return b.add({
      op: 'layernorm',
      result: name(),
      x: b.reshape(x, [rows, width]),
      ...(random.int(0, 1) ? { b: bias } : {}),
    });
  },
  ramplookup: (scene) => {
    const { b, random, name } = scene;
    const x = spread(scene, 'i16');
    const table = b.constant(name(), 'i16', [577], [...random.ints(576, -32768, 32767), 0]);
    return b.add({ op: 'ramplookup', result: name(), x: { value: x }, table, u: random.int(0, 8) });
  },
  'mean, gather, concat': (scene, rows, width) => {
    const { b, random, name } = scene;
    const x = spread(scene, random.pick(['i8', 'i16']));
    const rowsConstant = b.constant(name(), 'i32', [4], random.ints(4, 0, rows - 1));
    const picked = b.add({ op: 'gather', result: name(), x: b.reshape(x, [rows, width]), rows: rowsConstant, width }, [
      2,
      2,
      width,
    ]);
    const joined = b.add({
      op: 'concat',
      result: name(),
      operands: [b.reshape(picked, [4, width]), b.reshape(x, [rows, width])],
    });
    return b.add({ op: 'mean', result: name(), x: b.reshape(joined, [rows + 4, width]), axis: random.int(0, 1) });
  },
};

/** A fragment whose output is the result of one form. */
export function randomProgram(form: string, seed: number, rows: number, width: number): Program {
  const scene = newScene(seed, [rows, width]);
  const make = FORMS[form];
  if (make === undefined) throw new Error(`no form ${form}`);
  return scene.b.build({ output: make(scene, rows, width) });
}
