/** Programs of the ops that models have, with scales that keep most results inside their range and some at its ends. */
import { POW2 } from '@ivit/dyadic';
import {
  createProgramBuilder,
  type Operand,
  type Param,
  type ProgramBuilder,
  type RequantizeOp,
  type ValidatedProgram,
  validate,
} from '@ivit/program';
import { DTYPES, type DType } from '@ivit/tensor';
import { edgy, type Random } from './boundaries.js';

export interface RequantizeWish {
  readonly axis?: number;
  readonly run?: number;
  /** Entries of a parameter; 0: shared. */
  readonly channels?: number;
  readonly row?: string;
  readonly addend?: Operand;
  readonly e?: number;
}

export class ProgramMaker {
  readonly builder: ProgramBuilder;
  readonly random: Random;
  readonly #pixels: number;
  #names = 0;

  constructor(random: Random, pixels = 257) {
    this.random = random;
    this.#pixels = pixels;
    this.builder = createProgramBuilder('pixels', [pixels]);
  }

  name(stem: string): string {
    this.#names += 1;
    return `${stem}${this.#names}`;
  }

  constant(dtype: DType, shape: readonly number[], lo: number, hi: number): string {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = Array.from({ length: count }, () => edgy(this.random, lo, hi));
    return this.builder.constant(this.name('c'), dtype, shape, data);
  }

  /** A value of i8 or i16 made of the pixels. */
  value(dtype: 'i8' | 'i16', shape: readonly number[]): string {
    const count = shape.reduce((product, size) => product * size, 1);
    const indices = this.random.list(count, 0, this.#pixels - 1);
    const rows = this.builder.constant(this.name('c'), 'i32', [count], indices);
    const add = this.builder.add;
    const bytes = add({ op: 'gather', result: this.name('bytes'), x: { value: 'pixels' }, rows, width: 1 }, shape);
    const table = this.constant(dtype, [256], DTYPES[dtype].lo, DTYPES[dtype].hi);
    return add({ op: 'lookup', result: this.name('x'), x: { value: bytes }, table });
  }

  /** A value whose rows lie in ranges of their own, so that what is found of one row is wrong for another. */
  uneven(dtype: 'i8' | 'i16', shape: readonly [number, number]): string {
    const [rows] = shape;
    const half = DTYPES[dtype].hi >> 1;
    const levels = Array.from({ length: rows }, () => this.random.integer(-half, half));
    const operand: Operand = { constant: this.builder.constant(this.name('c'), dtype, [rows, 1], levels) };
    const x: Operand = { value: this.value(dtype, shape) };
    const common = { op: 'requantize', result: this.name('uneven'), x, z: 0, axis: 0, run: 0, to: dtype } as const;
    return this.builder.add({ ...common, m: 1, e: 2, addend: { operand, m: 1, e: 0 } });
  }

  linear(x: Operand, inputs: number, outputs: number, bias: boolean): string {
    const w = this.constant('i8', [outputs, inputs], -128, 127);
    const b = bias ? { b: this.constant('i32', [outputs], -(2 ** 20), 2 ** 20) } : {};
    return this.builder.add({ op: 'linear', result: this.name('sum'), x, w, ...b });
  }

  requantize(x: Operand, to: RequantizeOp['to'], wish: RequantizeWish = {}): string {
    const { random } = this;
    const name = 'value' in x ? x.value : '';
    const { lo, hi } = this.builder.interval(name);
    let reach = Math.max(1, Math.abs(lo), Math.abs(hi));
    if (wish.row !== undefined) {
      const code = this.builder.interval(wish.row).hi;
      reach *= (16 + (code & 15)) << (code >> 4);
    }
    const e = wish.e ?? random.integer(24, 40);
    const count = wish.channels ?? 0;
    const one = (): number => {
      const target = DTYPES[to === 'i32' ? 'i16' : to].hi * random.pick([1, 2, 8]) * (POW2[e] as number);
      const size = Math.min(0x3fffffff, Math.max(1, Math.floor(target / reach))); // float-ok: any scale will do
      return random.integer(0, 4) === 0 ? -size : size;
    };
    const vector = (make: () => number): Param => {
      if (count === 0) return make();
      const data = Array.from({ length: count }, make);
      return { constant: this.builder.constant(this.name('c'), 'i32', [count], data) };
    };
    return this.builder.add({
      op: 'requantize',
      result: this.name('q'),
      x,
      m: vector(one),
      e,
      z: vector(() => random.integer(-40, 40)),
      axis: wish.axis ?? 0,
      run: wish.run ?? 0,
      to,
      ...(wish.addend === undefined ? {} : { addend: { operand: wish.addend, m: random.integer(-900, 900), e: 9 } }),
      ...(wish.row === undefined ? {} : { row: { value: wish.row } }),
      ...(wish.row === undefined || count === 0
        ? {}
        : { bias: this.constant('i32', [count], -40000, 40000), k: Math.max(0, e - 12) }),
    });
  }

  /** rowscale and rowquantize of whole rows: the codes of rows and their i8. */
  quantizeRows(x: Operand, z: number): { readonly row: string; readonly codes: string } {
    const add = this.builder.add;
    const row = add({ op: 'rowscale', result: this.name('row'), x, cp: 127 - z, cn: 128 + z });
    return { row, codes: add({ op: 'rowquantize', result: this.name('codes'), x, row: { value: row }, z }) };
  }

  /**
   * The same with slots: codes of all channels in order, then of some once more with a slot, `count` in all, and capacities by
   * channel that these reach.
   */
  quantizeWithSlots(x: Operand, z: number, count: number): { readonly row: string; readonly codes: string } {
    const { builder, random } = this;
    const { shape } = 'value' in x ? (x.view ?? builder.type(x.value)) : builder.type('');
    const width = shape[shape.length - 1] as number;
    const up = new Int32Array(width).fill(127 - z);
    const down = new Int32Array(width).fill(128 + z);
    const channels = Int32Array.from({ length: count }, (_, j) => (j < width ? j : random.integer(0, width - 1)));
    const slot = Int8Array.from({ length: count }, (_, j) => (j < width ? 0 : random.pick([-2, -1, 1, 2])));
    for (const [j, k] of slot.entries()) {
      const side = k < 0 ? down : up;
      const channel = channels[j] as number;
      side[channel] = (side[channel] as number) + (k === 0 ? 0 : 255);
    }
    const constant = (dtype: DType, data: Int32Array | Int8Array): string =>
      builder.constant(this.name('c'), dtype, [data.length], data);
    const caps = { cp: { constant: constant('i32', up) }, cn: { constant: constant('i32', down) } };
    const row = builder.add({ op: 'rowscale', result: this.name('row'), x, ...caps });
    const parts = { channels: constant('i32', channels), slot: constant('i8', slot) };
    return {
      row,
      codes: builder.add({ op: 'rowquantize', result: this.name('codes'), x, row: { value: row }, z, ...parts }),
    };
  }

  /** layernorm and its requantize, per channel. */
  norm(x: string, to: 'i8' | 'i16', bias: boolean): string {
    const { shape } = this.builder.type(x);
    const width = shape[shape.length - 1] as number;
    const b = bias ? { b: this.constant('i32', [width], -(2 ** 29), 2 ** 29) } : {};
    const norm = this.builder.add({ op: 'layernorm', result: this.name('norm'), x: { value: x }, ...b });
    return this.requantize({ value: norm }, to, { axis: shape.length - 1, run: 1, channels: width, e: 40 });
  }

  /** GELU's two ops on i16. */
  ramp(x: string): string {
    const data = [...this.random.list(200, -400, 0), 0];
    const table = this.builder.constant(this.name('c'), 'i16', [201], data);
    return this.builder.add({ op: 'ramplookup', result: this.name('ramp'), x: { value: x }, table, u: 5 });
  }

  build(output: string): ValidatedProgram {
    return validate(this.builder.build({ output }), { fragment: true });
  }

  pixels(batch: number): Uint8Array {
    return Uint8Array.from(this.random.list(this.#pixels * batch, 0, 255));
  }
}
