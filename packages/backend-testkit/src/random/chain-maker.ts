import { DTYPE_RANGE, type Operand, type RequantizeOp, type ValueType } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { floorDiv } from '../exact/integers.js';
import { CaseMaker, edgy } from './case-maker.js';
import type { Random } from './random.js';

/** Parts of a requantization that a step may choose; the scale is found from the operand's proved interval. */
export interface Scaling {
  readonly axis?: number;
  readonly run?: number;
  /** A scale of its own for each channel of the run. */
  readonly perChannel?: boolean;
  readonly residual?: Operand;
  readonly row?: Operand;
  readonly z?: number;
}

/** The ops of real models, applied to rows of values `[tokens, width]`. */
export class ChainMaker extends CaseMaker {
  readonly tokens: number;

  constructor(random: Random, tokens: number, width: number) {
    super(random, [tokens, width]);
    this.tokens = tokens;
  }

  type(value: string): ValueType {
    return this.builder.type(value);
  }

  width(value: string): number {
    const { shape } = this.type(value);
    return shape[shape.length - 1] as number;
  }

  /** Largest magnitude that is proved possible. */
  reach(value: string): number {
    const { lo, hi } = this.builder.interval(value);
    return Math.max(1, Math.abs(lo), Math.abs(hi));
  }

  /** A multiplier that takes values of this reach to a few times the range of `to`, over 2^e. */
  scale(reach: number, to: RequantizeOp['to'], e: number): number {
    const { hi } = DTYPE_RANGE[to === 'i32' ? 'i16' : to];
    // Mostly a part of the range, so that sums with a residual fit; now and then more than it, so that some saturate.
    const target = BigInt(((hi * this.random.pick([2, 3, 4, 6, 12])) >> 3) + this.random.integer(-9, 9));
    const m = floorDiv(target << BigInt(e), BigInt(reach));
    return Number(m < 1n ? 1n : m > 0x7fffffffn ? 0x7fffffffn : m);
  }

  /** Largest f·2^E of the row codes. */
  #rowReach(row: Operand | undefined): number {
    if (row === undefined || !('value' in row)) return 1;
    const code = this.builder.interval(row.value).hi;
    return (16 + (code & 15)) * (1 << (code >> 4));
  }

  requantize(x: Operand, to: RequantizeOp['to'], scaling: Scaling = {}): string {
    const { random } = this;
    const name = 'value' in x ? x.value : '';
    const reach = this.reach(name) * this.#rowReach(scaling.row);
    const shape = x.view?.shape ?? this.type(name).shape;
    const { axis = 0, run = 0 } = scaling;
    const count = elementCount(shape.slice(axis, axis + run));
    const e = random.integer(scaling.row === undefined ? 8 : 20, 31);
    const once = (): number => this.scale(reach, to, e) * (random.integer(0, 5) === 0 ? -1 : 1);
    const perChannel = scaling.perChannel === true && run > 0;
    const m = perChannel ? this.vector('i32', Array.from({ length: count }, once)) : once();
    const z = scaling.z ?? (perChannel ? this.vector('i32', random.list(count, -40, 40)) : random.integer(-3, 3));
    const bias =
      scaling.row === undefined ? undefined : this.constant('i32', [count], edgy(random, count, -40000, 40000));
    return this.builder.add({
      op: 'requantize',
      result: this.name('q'),
      x,
      m,
      e,
      z,
      axis,
      run,
      to,
      ...(scaling.residual === undefined ? {} : { addend: this.#addendOf(scaling.residual, to) }),
      ...(scaling.row === undefined ? {} : { row: scaling.row }),
      ...(bias === undefined ? {} : { bias, k: Math.max(0, e - 12) }),
    });
  }

  #addendOf(operand: Operand, to: RequantizeOp['to']): NonNullable<RequantizeOp['addend']> {
    const e = this.random.integer(0, 1) === 0 ? 0 : this.random.integer(10, 30);
    const reach = 'value' in operand ? this.reach(operand.value) : 32768;
    return { operand, m: e === 0 ? this.random.pick([1, -1, 2]) : this.scale(reach, to, e), e };
  }

  /** x as i8 rows. */
  narrow(x: string): string {
    return this.type(x).dtype === 'i8' ? x : this.requantize({ value: x }, 'i8');
  }

  /** x as i16 rows. */
  wide(x: string): string {
    return this.type(x).dtype === 'i16'
      ? x
      : this.requantize({ value: x }, 'i16', { axis: 1, run: 1, perChannel: true });
  }

  linear(x: string, outputs: number): string {
    const { random } = this;
    const inputs = this.width(x);
    const w = this.constant('i8', [outputs, inputs], edgy(random, outputs * inputs, -128, 127));
    const b = this.constant('i32', [outputs], edgy(random, outputs, -(1 << 20), 1 << 20));
    const result = this.name('acc');
    return this.builder.add({ op: 'linear', result, x: { value: x }, w, ...(random.integer(0, 2) === 0 ? {} : { b }) });
  }
}
