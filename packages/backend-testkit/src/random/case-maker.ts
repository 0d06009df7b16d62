import {
  createProgramBuilder,
  type DType,
  type Operand,
  type Param,
  type ProgramBuilder,
  type View,
} from '@ivit/program';
import { DTYPES, denseStrides, elementCount } from '@ivit/tensor';
import type { Random } from './random.js';

/** Values near the ends of a range and near powers of two find more mistakes than uniform ones. */
export function edgy(random: Random, count: number, lo: number, hi: number): number[] {
  return Array.from({ length: count }, () => {
    const kind = random.integer(0, 3);
    if (kind === 0) return random.integer(lo, hi);
    if (kind === 1) return random.pick([lo, hi, 0, 1, -1].filter((value) => value >= lo && value <= hi));
    const magnitude = (1 << random.integer(0, 29)) * random.integer(1, 2);
    return Math.min(hi, Math.max(lo, random.pick([-1, 1]) * magnitude + random.integer(-2, 2)));
  });
}

/** A multiplier of random size and sign, below 2^bits, often a power of two (ties). */
export function multiplier(random: Random, bits: number): number {
  const size = 1 << random.integer(0, bits - 1);
  const m = random.integer(0, 3) === 0 ? size : random.integer(size, size + (size - 1));
  return random.integer(0, 4) === 0 ? -m : m;
}

/** A builder with names, constants and values of any kind made from the pixels. */
export class CaseMaker {
  readonly builder: ProgramBuilder;
  readonly random: Random;
  readonly #pixels: number;
  #names = 0;

  constructor(random: Random, shape: readonly number[]) {
    this.random = random;
    this.#pixels = elementCount(shape);
    this.builder = createProgramBuilder('pixels', shape);
  }

  name(stem: string): string {
    this.#names += 1;
    return `${stem}${this.#names}`;
  }

  constant(dtype: DType, shape: readonly number[], data: readonly number[]): string {
    return this.builder.constant(this.name('c'), dtype, shape, data);
  }

  /** A per-channel parameter. */
  vector(dtype: DType, data: readonly number[]): Param {
    return { constant: this.constant(dtype, [data.length], data) };
  }

  /** Bytes in any shape: pixels in random order. */
  bytes(shape: readonly number[]): string {
    const count = elementCount(shape);
    const rows = this.constant('i32', [count], this.random.list(count, 0, this.#pixels - 1));
    const result = this.name('bytes');
    return this.builder.add({ op: 'gather', result, x: { value: 'pixels' }, rows, width: 1 }, shape);
  }

  /** A value of any dtype and shape, made of the pixels; its entries span lo…hi. */
  value(dtype: DType, shape: readonly number[], lo: number, hi: number): Operand {
    const bytes = this.bytes(shape);
    if (dtype === 'u8') return { value: bytes };
    const narrow = dtype === 'i8' ? 'i8' : 'i16';
    const range = DTYPES[narrow];
    const entries = edgy(this.random, 256, Math.max(lo, range.lo), Math.min(hi, range.hi));
    const table = this.constant(narrow, [256], entries);
    const looked = this.builder.add({ op: 'lookup', result: this.name('x'), x: { value: bytes }, table });
    if (dtype !== 'i32') return { value: looked };
    // Beyond 16 bits: the entries times the power of two that reaches `hi`, and some odd offset.
    const result = this.name('wide');
    const x: Operand = { value: looked };
    const m = Math.max(1, hi >> 15);
    const z = this.random.integer(-1000, 1000);
    return {
      value: this.builder.add({ op: 'requantize', result, x, m, e: 0, z, axis: 0, run: 0, to: 'i32' }),
    };
  }

  /**
   * A value of the given dtype and shape, seen through a random view: whole, transposed, reversed, offset into a larger
   * tensor, or broadcast.
   */
  seen(dtype: DType, shape: readonly number[], lo: number, hi: number): Operand {
    const kind = this.random.integer(0, 5);
    if (kind <= 1 || shape.length === 0) return this.value(dtype, shape, lo, hi);
    const axis = this.random.integer(0, shape.length - 1);
    const view = viewOf(shape, kind, axis);
    return { ...this.value(dtype, view.source, lo, hi), view: view.view };
  }
}

/** A view of `shape` into a dense tensor of another shape. */
function viewOf(shape: readonly number[], kind: number, axis: number): { source: readonly number[]; view: View } {
  const strides = denseStrides(shape);
  if (kind === 2) {
    // All axes in reverse order.
    const source = [...shape].reverse();
    return { source, view: { offset: 0, shape, strides: denseStrides(source).reverse() } };
  }
  if (kind === 3) {
    // One axis backwards.
    const offset = ((shape[axis] as number) - 1) * (strides[axis] as number);
    return { source: shape, view: { offset, shape, strides: strides.map((s, i) => (i === axis ? -s : s)) } };
  }
  if (kind === 4) {
    // A window into a tensor that is larger on every axis.
    const source = shape.map((size) => size + 1);
    const wide = denseStrides(source);
    return { source, view: { offset: wide.reduce((sum, s) => sum + s, 0), shape, strides: wide } };
  }
  // One axis repeats.
  const source = shape.map((size, i) => (i === axis ? 1 : size));
  const own = denseStrides(source);
  return { source, view: { offset: 0, shape, strides: own.map((s, i) => (i === axis ? 0 : s)) } };
}
