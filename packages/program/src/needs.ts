/**
 * What of each value is needed: a box from the origin, one size per axis. Where only the class token goes on, the last block
 * computes one row.
 */

import { denseStrides, denseView } from '@ivit/tensor';
import type { Op, Operand, ValidatedProgram, View } from './types.js';

/** Sizes from the origin, one per axis; a value without one is not needed at all. */
export type Box = readonly number[];

/** The smallest box of a dense tensor that holds what a box of a view of it reaches; the whole where that is unclear. */
function boxUnder(shape: readonly number[], view: View, box: Box): Box {
  const dense = denseStrides(shape);
  const reach: number[] = [];
  let rest = view.offset;
  for (const stride of dense) {
    const step = (rest - (rest % stride)) / stride; // float-ok: a multiple of stride
    reach.push(step);
    rest -= step * stride;
  }
  for (const [axis, count] of box.entries()) {
    const stride = view.strides[axis] as number;
    if (count === 1 || stride === 0) continue;
    const target = stride < 0 ? -1 : dense.findIndex((size) => size <= stride);
    const size = dense[target];
    if (size === undefined || stride % size !== 0) return shape;
    reach[target] = (reach[target] as number) + ((count - 1) * stride) / size; // float-ok: size divides stride
  }
  return reach.some((index, axis) => index >= (shape[axis] as number)) ? shape : reach.map((index) => index + 1);
}

class Needs {
  readonly boxes = new Map<string, Box>();
  readonly #program: ValidatedProgram;

  constructor(program: ValidatedProgram) {
    this.#program = program;
  }

  /** Widens the need of a value by a box. */
  require(name: string, box: Box): void {
    const known = this.boxes.get(name);
    this.boxes.set(name, known === undefined ? box : box.map((size, axis) => Math.max(size, known[axis] as number)));
  }

  whole(name: string): void {
    this.require(name, this.#program.values[name]?.shape ?? []);
  }

  viewOf(operand: Operand): View {
    const source = 'value' in operand ? this.#program.values[operand.value] : this.#program.constants[operand.constant];
    return operand.view ?? denseView(source?.shape ?? []);
  }

  /** Requires a box of an operand's view. */
  operand(operand: Operand, box: (shape: readonly number[]) => Box): void {
    if (!('value' in operand)) return;
    const view = this.viewOf(operand);
    const shape = this.#program.values[operand.value]?.shape ?? [];
    this.require(operand.value, boxUnder(shape, view, box(view.shape)));
  }

  /** Rows of the last axis: all of it, the leading axes as in the result. */
  rows(operand: Operand, result: Box): void {
    this.operand(operand, (shape) =>
      shape.map((size, axis) => (axis === shape.length - 1 ? size : result[axis]) ?? size),
    );
  }

  op(op: Op, box: Box): void {
    switch (op.op) {
      case 'requantize': {
        this.rows(op.x, box);
        if (op.row !== undefined) this.operand(op.row, () => box.slice(0, -1));
        if (op.addend !== undefined) {
          this.operand(op.addend.operand, (shape) => {
            const missing = box.length - shape.length;
            return shape.map((size, axis) => Math.min(size, box[axis + missing] ?? size));
          });
        }
        return;
      }
      case 'rowscale':
        this.operand(op.x, (shape) => [...box, shape[shape.length - 1] as number]);
        return;
      case 'rowquantize':
        this.rows(op.x, box);
        this.operand(op.row, () => box.slice(0, -1));
        return;
      case 'matmul':
        this.operand(op.a, (shape) => [...box.slice(0, -1), shape[shape.length - 1] as number]);
        this.operand(op.b, (shape) => [...box.slice(0, -2), ...shape.slice(-2)]);
        return;
      case 'linear':
      case 'softmax':
      case 'shiftgelu':
      case 'layernorm':
      case 'lookup':
      case 'ramplookup':
        this.rows(op.x, box);
        return;
      case 'mean':
      case 'gather':
        this.operand(op.x, (shape) => shape);
        return;
      case 'concat': {
        let start = 0;
        for (const operand of op.operands) {
          const size = this.viewOf(operand).shape[0] as number;
          const wanted = Math.min(size, (box[0] as number) - start);
          if (wanted > 0) this.operand(operand, () => [wanted, ...box.slice(1)]);
          start += size;
        }
        return;
      }
      default:
        op satisfies never;
    }
  }
}

/**
 * The box of each value that the kept values depend on.
 *
 * @param keep values needed whole
 */
export function findNeeds(program: ValidatedProgram, keep: Iterable<string>): ReadonlyMap<string, Box> {
  const needs = new Needs(program);
  for (const name of keep) needs.whole(name);
  for (let index = program.ops.length - 1; index >= 0; index--) {
    const op = program.ops[index] as Op;
    const box = needs.boxes.get(op.result);
    if (box !== undefined) needs.op(op, box);
  }
  return needs.boxes;
}
