import { elementCount, makeArray } from '@ivit/tensor';
import { DTYPE_RANGE } from './dtype.js';
import { IvitError } from './error.js';
import { specOf } from './op-version.js';
import { infer } from './ops/infer.js';
import type {
  Constant,
  DType,
  InputDescription,
  IntArray,
  Interval,
  Op,
  Operand,
  Program,
  Provenance,
  ValueType,
} from './types.js';
import { Ledger } from './validate.js';
import { reshapeView, transposeView } from './view.js';

/** What stands beside values, ops and constants in a finished program. */
export interface ProgramDetails {
  readonly output: string;
  readonly outputShift?: number;
  readonly image?: InputDescription;
  readonly labels?: readonly string[];
  readonly unknownBelow?: number;
  readonly provenance?: Provenance;
}

/** Collects ops in order and infers the type and the interval of every result as it goes. */
export interface ProgramBuilder {
  /**
   * Adds a constant and returns its name.
   *
   * @param bits of an entry in a file, i8 only, 2 … 7; absent = 8
   * @throws IvitError E_PROGRAM_CONSTANT (name taken, entry outside the dtype)
   */
  constant(name: string, dtype: DType, shape: readonly number[], data: ArrayLike<number>, bits?: number): string;
  /** Adds an op and returns its result's name. `shape` only for `gather`, whose result may have any. */
  add(op: Op, shape?: readonly number[]): string;
  type(value: string): ValueType;
  /** Interval proved for a value so far. */
  interval(value: string): Interval;
  /** Intervals of each channel of the last axis, where they are known. */
  channels(value: string): { readonly lo: ArrayLike<number>; readonly hi: ArrayLike<number> } | undefined;
  /** A value under another shape of the same element count. */
  reshape(value: string, shape: readonly number[]): Operand;
  /** A value seen as `shape`, then with its axes in the order `axes`. */
  transpose(value: string, shape: readonly number[], axes: readonly number[]): Operand;
  build(details: ProgramDetails): Program;
}

/**
 * @param input name and shape of the u8 input value
 */
export function createProgramBuilder(input: string, shape: readonly number[]): ProgramBuilder {
  const constants: Record<string, Constant> = {};
  const values: Record<string, ValueType> = { [input]: { dtype: 'u8', shape: [...shape] } };
  const ops: Op[] = [];
  const ledger = new Ledger(constants);
  ledger.values.set(input, { type: { dtype: 'u8', shape: [...shape] }, bound: DTYPE_RANGE.u8 });

  function known(name: string): { readonly type: ValueType; readonly bound: Interval } {
    const info = ledger.value(name);
    if (info === undefined) throw new IvitError('E_PROGRAM_VALUE', `there is no value '${name}' yet`);
    return info;
  }

  function fill(name: string, dtype: DType, count: number, data: ArrayLike<number>): IntArray {
    const range = DTYPE_RANGE[dtype];
    const array = makeArray(dtype, count);
    if (data.length !== count) {
      throw new IvitError('E_PROGRAM_CONSTANT', `'${name}' has ${data.length} entries, its shape needs ${count}`);
    }
    for (let i = 0; i < count; i++) {
      const entry = data[i] as number;
      if (!Number.isInteger(entry) || entry < range.lo || entry > range.hi) {
        throw new IvitError('E_PROGRAM_CONSTANT', `'${name}'[${i}] is ${entry}, not an integer of ${dtype}`);
      }
      array[i] = entry;
    }
    return array;
  }

  return {
    constant(name, dtype, constantShape, data, bits) {
      if (Object.hasOwn(constants, name))
        throw new IvitError('E_PROGRAM_CONSTANT', `constant '${name}' exists already`);
      const filled = fill(name, dtype, elementCount(constantShape), data);
      const packed = bits === undefined ? {} : { bits };
      constants[name] = { dtype, shape: [...constantShape], data: filled, ...packed };
      return name;
    },
    add(op, gatherShape) {
      if (ledger.values.has(op.result)) throw new IvitError('E_PROGRAM_VALUE', `'${op.result}' is made twice`);
      const declared = gatherShape === undefined ? undefined : ({ dtype: 'u8', shape: gatherShape } as const);
      const result = infer(op, ops.length, ledger, declared);
      ops.push(op);
      values[op.result] = result.type;
      ledger.add(op.result, result);
      return op.result;
    },
    type: (value) => known(value).type,
    interval: (value) => known(value).bound,
    channels: (value) => ledger.value(value)?.channels,
    reshape: (value, viewShape) => {
      const { type } = known(value);
      if (elementCount(type.shape) !== elementCount(viewShape)) {
        throw new IvitError('E_PROGRAM_SHAPE', `'${value}' [${type.shape.join(',')}] is no [${viewShape.join(',')}]`);
      }
      return { value, view: reshapeView(viewShape) };
    },
    transpose: (value, viewShape, axes) => ({ value, view: transposeView(viewShape, axes) }),
    build(details) {
      const { outputShift = 0, ...rest } = details;
      return { spec: specOf(ops), input, values, ops, constants, outputShift, ...rest };
    },
  };
}
