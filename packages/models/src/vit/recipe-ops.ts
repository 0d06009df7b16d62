import type { Addend, Operand, Param, ProgramBuilder } from '@ivit/program';
import { LOW_BITS, type RecipeEdge, type RecipeLinear, type StaticScaling } from './recipe-types.js';
import { addRowQuantize, type RowQuantized, splitWideRows, type WideRows } from './row-quantize.js';

function addParam(builder: ProgramBuilder, name: string, data: Int32Array): Param {
  if (data.length === 1) return data[0] as number;
  return { constant: builder.constant(name, 'i32', [data.length], data) };
}

/** Static requantization to i16, per channel over the axes `axis … axis+run-1` or per tensor. */
export function addScaling(
  builder: ProgramBuilder,
  result: string,
  x: Operand,
  scaling: StaticScaling,
  axes: { readonly axis: number; readonly run: number },
  addend?: Addend,
): string {
  const { m, e, z } = scaling;
  const perTensor = m.length === 1 && (z === undefined || z.length === 1);
  return builder.add({
    op: 'requantize',
    result,
    x,
    m: addParam(builder, `${result}.m`, m),
    e,
    z: z === undefined ? 0 : addParam(builder, `${result}.z`, z),
    ...(perTensor ? { axis: 0, run: 0 } : axes),
    to: 'i16',
    ...(addend === undefined ? {} : { addend }),
  });
}

/** Rows `first … first+count-1` of an addend `[N,D]`. */
function addendRows(builder: ProgramBuilder, addend: Addend, first: number, count: number): Addend {
  const { operand } = addend;
  if (!('value' in operand) || operand.view !== undefined) throw new RangeError('only whole values are split by rows');
  const [, width = 1] = builder.type(operand.value).shape;
  return {
    ...addend,
    operand: { ...operand, view: { offset: first * width, shape: [count, width], strides: [width, 1] } },
  };
}

/** Adds a layer's weights `[N,K]`, K counting slots; once per layer. */
function addWeights(builder: ProgramBuilder, name: string, { weight, offset, bits }: RecipeLinear): string {
  const n = offset.length;
  return builder.constant(`${name}.weight`, 'i8', [n, weight.length / n], weight, bits);
}

/** Linear on int16 rows: i32 accumulator `NAME.wide.sum` of int16 times int8, requantized value `result [rows,N]`. */
function addWideLinear(
  builder: ProgramBuilder,
  name: string,
  result: string,
  { operand, rows, columns, single }: WideRows,
  linear: RecipeLinear,
  w: string,
  to: 'i8' | 'i16' | 'i32',
  addend?: Addend,
): string {
  if (linear.wide === undefined) throw new RangeError(`${name} has no scaling for wide rows`);
  const n = linear.offset.length;
  // The weights of base codes come first in each row; slots repeat them.
  const codes = linear.weight.length / n;
  const sum = builder.add({
    op: 'matmul',
    result: `${name}.wide.sum`,
    a: operand,
    b: { constant: w, view: { offset: 0, shape: [1, columns, n], strides: [0, 1, codes] } },
  });
  const whole = addLow(builder, name, sum, operand, columns, linear);
  const { m, e, z } = linear.wide;
  return builder.add({
    op: 'requantize',
    result,
    x: builder.reshape(whole, single ? [n] : [rows, n]),
    m: addParam(builder, `${name}.wide.m`, m),
    e,
    z: z === undefined ? 0 : addParam(builder, `${name}.wide.z`, z),
    axis: single ? 0 : 1,
    run: 1,
    to,
    ...(addend === undefined ? {} : { addend }),
  });
}

/** Adds to sums of wide rows what the weights' lower bits make, where a layer has them: value `NAME.wide.whole`. */
function addLow(
  builder: ProgramBuilder,
  name: string,
  sum: string,
  a: Operand,
  columns: number,
  { low, offset }: RecipeLinear,
): string {
  if (low === undefined) return sum;
  const n = offset.length;
  const constant = builder.constant(`${name}.low`, 'i8', [n, columns], low, LOW_BITS);
  const b = { constant, view: { offset: 0, shape: [1, columns, n], strides: [0, 1, columns] } };
  const lower = builder.add({ op: 'matmul', result: `${name}.wide.low`, a, b });
  const addend = { operand: { value: lower }, m: 1, e: LOW_BITS };
  const result = `${name}.wide.whole`;
  return builder.add({
    op: 'requantize',
    result,
    x: { value: sum },
    m: 1,
    e: 0,
    z: 0,
    axis: 0,
    run: 0,
    to: 'i32',
    addend,
  });
}

/** Linear on int8 rows: i32 accumulator `NAME.sum`, requantized value `result`. */
function addNarrowLinear(
  builder: ProgramBuilder,
  name: string,
  result: string,
  x: RowQuantized,
  linear: RecipeLinear,
  w: string,
  to: 'i8' | 'i16' | 'i32',
  addend?: Addend,
): string {
  const n = linear.offset.length;
  // A zero-point of 0 leaves no offset: the op does without b.
  const b = linear.offset.some((entry) => entry !== 0)
    ? { b: builder.constant(`${name}.offset`, 'i32', [n], linear.offset) }
    : {};
  const sum = builder.add({ op: 'linear', result: `${name}.sum`, x: { value: x.codes }, w, ...b });
  return builder.add({
    op: 'requantize',
    result,
    x: { value: sum },
    m: addParam(builder, `${name}.m`, linear.scaling.m),
    e: linear.scaling.e,
    z: 0,
    axis: builder.type(sum).shape.length - 1,
    run: 1,
    to,
    row: { value: x.row },
    bias: builder.constant(`${name}.bias`, 'i32', [n], linear.scaling.bias),
    k: linear.scaling.k,
    ...(addend === undefined ? {} : { addend }),
  });
}

/** Linear on row-quantized input, wide rows in front if there are any: value `result`. */
export function addRowLinear(
  builder: ProgramBuilder,
  name: string,
  result: string,
  x: RowQuantized,
  linear: RecipeLinear,
  to: 'i8' | 'i16' | 'i32',
  addend?: Addend,
): string {
  const w = addWeights(builder, name, linear);
  const { wide } = x;
  if (wide === undefined) return addNarrowLinear(builder, name, result, x, linear, w, to, addend);
  const others = builder.type(x.codes).shape[0] ?? 1;
  const before = addend && addendRows(builder, addend, 0, wide.rows);
  const behind = addend && addendRows(builder, addend, wide.rows, others);
  const first = addWideLinear(builder, name, `${result}.wide`, wide, linear, w, to, before);
  const rest = addNarrowLinear(builder, name, `${result}.narrow`, x, linear, w, to, behind);
  return builder.add({ op: 'concat', result, operands: [{ value: first }, { value: rest }] });
}

/** Linear on wide rows alone: value `result [rows,N]`, of a single row `[N]`. */
export function addWideRowsLinear(
  builder: ProgramBuilder,
  name: string,
  result: string,
  x: WideRows,
  linear: RecipeLinear,
  to: 'i8' | 'i16' | 'i32',
  addend?: Addend,
): string {
  return addWideLinear(builder, name, result, x, linear, addWeights(builder, name, linear), to, addend);
}

/**
 * Row quantization of the i16 value `name` (attention output `[N,H,d]`, norm `[N,D]` or GELU `[N,M]`).
 *
 * @param apart whether wide rows are a value by themselves, `NAME.wide`.
 */
export function addEdge(builder: ProgramBuilder, name: string, edge: RecipeEdge, apart = false): RowQuantized {
  const [rows = 1, ...inner] = builder.type(name).shape;
  const width = inner.reduce((product, size) => product * size, 1);
  const { wideRows = 0 } = edge;
  if (wideRows > 0) {
    const { wide, others } = splitWideRows(builder, name, [rows, width], wideRows, apart);
    return { ...addRowQuantize(builder, name, others, edge), wide };
  }
  const x = inner.length === 1 ? { value: name } : builder.reshape(name, [rows, width]);
  return addRowQuantize(builder, name, x, edge);
}
