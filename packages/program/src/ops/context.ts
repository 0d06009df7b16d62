import { DTYPES, denseStrides, elementCount, MAX_RANK, makeArray, viewBounds } from '@ivit/tensor';
import { DTYPE_RANGE } from '../dtype.js';
import { IvitError } from '../error.js';
import type { Constant, DType, IntArray, Interval, Op, Operand, Param, ValueType, View } from '../types.js';
import { isDense } from '../view.js';

/** Largest size of one axis, and of a whole tensor or view: a typed array's reach on every engine. */
export const MAX_ELEMENTS: number = 2 ** 31 - 1;

/** Closed intervals of each channel of the last axis: every dtype's range lies within int32. */
export interface ChannelBounds {
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

/** What is proved about a value: an interval, per channel of the last axis where known, and the bound of a row's sum. */
export interface ValueInfo {
  readonly type: ValueType;
  readonly bound: Interval;
  readonly channels?: ChannelBounds;
  /** Largest Σ|y| over one row of the last axis, where one is known (softmax). */
  readonly rowSum?: number;
}

/** An operand with its view resolved. */
export interface OperandInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly view: View;
  readonly shape: readonly number[];
  readonly bound: Interval;
  /** Present when the view keeps the last axis whole and in place. */
  readonly channels?: ChannelBounds;
  readonly rowSum?: number;
}

/** What an op's rule yields. */
export interface OpResult extends ValueInfo {
  readonly macs?: number;
  /** Bits of the largest requantization numerator |x·m| or |x·f·m·2^E + bias·2^k|. */
  readonly numeratorBits?: number;
  /** Bytes of the operands that are seen through views and not dense: a backend may have to copy them. */
  readonly viewBytes?: number;
}

export interface Source {
  readonly constants: Readonly<Record<string, Constant>>;
  value(name: string): ValueInfo | undefined;
  constantBound(name: string, constant: Constant): Interval;
}

/** Reads and checks the parts of one op; every refusal names the op and the field. */
export class OpContext {
  readonly #source: Source;
  readonly #op: Op;
  readonly #index: number;
  /** Bytes of the strided operands read so far. */
  viewBytes = 0;

  constructor(source: Source, op: Op, index: number) {
    this.#source = source;
    this.#op = op;
    this.#index = index;
  }

  where(field?: string): string {
    return `ops[${this.#index}] ${this.#op.op} -> ${this.#op.result}${field === undefined ? '' : `, ${field}`}`;
  }

  fail(code: string, field: string | undefined, message: string, hint?: string): never {
    throw new IvitError(code, message, { where: this.where(field), ...(hint === undefined ? {} : { hint }) });
  }

  check(condition: boolean, code: string, field: string | undefined, message: string): void {
    if (!condition) this.fail(code, field, message);
  }

  integer(value: number, lo: number, hi: number, field: string): number {
    if (!Number.isSafeInteger(value) || value < lo || value > hi) {
      this.fail('E_PROGRAM_PARAMETER', field, `${field} is ${value}, not an integer in ${lo}…${hi}`);
    }
    return value;
  }

  operand(operand: Operand, field: string, dtypes: readonly DType[]): OperandInfo {
    let info: ValueInfo;
    let name: string;
    if ('value' in operand) {
      name = operand.value;
      const found = this.#source.value(name);
      if (found === undefined) {
        this.fail('E_PROGRAM_ORDER', field, `value '${name}' is not made by the input or an earlier op`);
      }
      info = found;
    } else {
      name = operand.constant;
      const constant = this.#constant(name, field);
      info = { type: constant, bound: this.#source.constantBound(name, constant) };
    }
    const { dtype, shape } = info.type;
    if (!dtypes.includes(dtype)) {
      this.fail('E_PROGRAM_DTYPE', field, `'${name}' is ${dtype}, but ${dtypes.join(' or ')} is needed`);
    }
    const count = elementCount(shape);
    const view = operand.view ?? { offset: 0, shape, strides: denseStrides(shape) };
    if (operand.view !== undefined) this.#checkView(view, count, name, field);
    const whole = isDense(view, count);
    if (!whole) this.viewBytes += elementCount(view.shape) * DTYPES[dtype].bytes;
    const rows = whole ? sameLast(view.shape, shape) : keepsLastAxis(view, shape);
    return {
      name,
      dtype,
      view,
      shape: view.shape,
      bound: info.bound,
      ...(rows && info.channels !== undefined ? { channels: info.channels } : {}),
      ...(rows && info.rowSum !== undefined ? { rowSum: info.rowSum } : {}),
    };
  }

  #checkView(view: View, count: number, name: string, field: string): void {
    const { shape, strides } = view;
    if (shape.length > MAX_RANK || shape.length !== strides.length) {
      this.fail(
        'E_PROGRAM_VIEW',
        field,
        `the view of '${name}' has rank ${shape.length} and ${strides.length} strides`,
      );
    }
    const integers = [view.offset, ...shape, ...strides].every((n) => Number.isSafeInteger(n));
    if (!integers || !shape.every((size) => size >= 1)) {
      this.fail(
        'E_PROGRAM_VIEW',
        field,
        `the view of '${name}' needs integer offset and strides and sizes of at least 1`,
      );
    }
    const elements = elementCount(shape);
    if (elements > MAX_ELEMENTS) {
      this.fail('E_PROGRAM_LIMIT', field, `the view of '${name}' has ${elements} elements, more than ${MAX_ELEMENTS}`);
    }
    const { min, max } = viewBounds(view);
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min < 0 || max >= count) {
      this.fail('E_PROGRAM_BOUNDS', field, `the view of '${name}' reaches elements ${min}…${max} of ${count}`);
    }
  }

  #constant(name: string, field: string): Constant {
    const constant = Object.hasOwn(this.#source.constants, name) ? this.#source.constants[name] : undefined;
    if (constant === undefined) this.fail('E_PROGRAM_CONSTANT', field, `there is no constant '${name}'`);
    return constant;
  }

  constant(name: string, field: string, dtypes: readonly DType[], shape?: readonly (number | undefined)[]): Constant {
    const constant = this.#constant(name, field);
    if (!dtypes.includes(constant.dtype)) {
      this.fail(
        'E_PROGRAM_DTYPE',
        field,
        `constant '${name}' is ${constant.dtype}, but ${dtypes.join(' or ')} is needed`,
      );
    }
    if (
      shape !== undefined &&
      (constant.shape.length !== shape.length ||
        shape.some((size, i) => size !== undefined && constant.shape[i] !== size))
    ) {
      const wanted = shape.map((size) => size ?? 'any').join(',');
      this.fail(
        'E_PROGRAM_SHAPE',
        field,
        `constant '${name}' is [${constant.shape.join(',')}], but [${wanted}] is needed`,
      );
    }
    return constant;
  }

  constantBound(name: string, field: string): Interval {
    return this.#source.constantBound(name, this.#constant(name, field));
  }

  /** A parameter as an array of its dtype, of length 1 or `count`, each entry in lo…hi. */
  param(param: Param, field: string, dtype: DType, count: number, lo: number, hi: number): IntArray {
    if (typeof param === 'number') {
      const single = makeArray(dtype, 1);
      single[0] = this.integer(param, lo, hi, field);
      return single;
    }
    const constant = this.constant(param.constant, field, [dtype], [undefined]);
    const length = constant.data.length;
    if (length !== 1 && length !== count) {
      this.fail('E_PROGRAM_SHAPE', field, `'${param.constant}' has ${length} entries, but 1 or ${count} are needed`);
    }
    checkRange(this, constant.data, field, param.constant, lo, hi);
    return constant.data;
  }

  /** A rank-1 constant of source channel indices, each in 0…count-1. */
  channels(name: string, field: string, count: number): IntArray {
    const constant = this.constant(name, field, ['i32'], [undefined]);
    checkRange(this, constant.data, field, name, 0, Math.min(count, 65536) - 1, 'E_PROGRAM_BOUNDS');
    return constant.data;
  }

  /** Refuses a stored result that could leave its dtype. */
  fits(bound: Interval, dtype: DType, field: string): Interval {
    const range = DTYPE_RANGE[dtype];
    if (bound.lo < range.lo || bound.hi > range.hi) {
      this.fail('E_PROGRAM_OVERFLOW', field, `the result may reach ${bound.lo}…${bound.hi}, outside ${dtype}`);
    }
    return bound;
  }
}

/** Largest magnitude in an interval. */
export function reachOf(bound: Interval): number {
  return Math.max(Math.abs(bound.lo), Math.abs(bound.hi));
}

function checkRange(
  context: OpContext,
  data: IntArray,
  field: string,
  name: string,
  lo: number,
  hi: number,
  code = 'E_PROGRAM_PARAMETER',
): void {
  for (let i = 0; i < data.length; i++) {
    const entry = data[i] as number;
    if (entry < lo || entry > hi) context.fail(code, field, `'${name}'[${i}] is ${entry}, not in ${lo}…${hi}`);
  }
}

function sameLast(a: readonly number[], b: readonly number[]): boolean {
  return a.length > 0 && b.length > 0 && a[a.length - 1] === b[b.length - 1];
}

/** Whether a view of a dense tensor keeps every row of the last axis whole and in place. */
function keepsLastAxis(view: View, shape: readonly number[]): boolean {
  if (!sameLast(view.shape, shape)) return false;
  const last = shape[shape.length - 1] as number;
  const inner = view.strides.length - 1;
  if (last > 1 && view.strides[inner] !== 1) return false;
  if (view.offset % last !== 0) return false;
  return view.strides.every(
    (stride, axis) => axis === inner || (view.shape[axis] as number) === 1 || stride % last === 0,
  );
}
