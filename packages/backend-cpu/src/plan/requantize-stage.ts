import { POW2 } from '@ivit/dyadic';
import type { Interval, Param, RequantizeOp, ValidatedProgram } from '@ivit/program';
import type { DType } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { type ConstantPool, padded } from './constants.js';
import { type ParameterArrays, vectorForm } from './requantize-form.js';
import type { Ref, RowOrder, StageDraft } from './stage.js';
import { typeCode } from './stage.js';

export interface RequantizeOperands {
  readonly x: Ref;
  readonly xType: DType;
  /** Shape of x as its view shows it. */
  readonly xShape: readonly number[];
  readonly xInterval: Interval;
  readonly out: Ref;
  readonly row?: Ref;
  readonly rowInterval?: Interval;
  readonly addend?: { readonly ref: Ref; readonly dtype: DType; readonly interval: Interval };
  readonly order: RowOrder;
}

function values(program: ValidatedProgram, param: Param): ArrayLike<number> {
  return typeof param === 'number' ? [param] : (program.constants[param.constant]?.data ?? []);
}

/** Rows of parameters: that of row r of x is (r / divide) mod period, and holds its columns one by one or one for all. */
interface Period {
  readonly divide: number;
  readonly period: number;
  readonly perColumn: boolean;
}

const product = (sizes: readonly number[]): number => sizes.reduce((count, size) => count * size, 1);

/** How the run of parameters lies over rows and columns of x. */
function periodOf(op: RequantizeOp, shape: readonly number[], uniform: boolean): Period {
  if (uniform) return { divide: 1, period: 1, perColumn: false };
  const end = op.axis + op.run;
  if (end === shape.length) return { divide: 1, period: product(shape.slice(op.axis, -1)), perColumn: true };
  return { divide: product(shape.slice(end, -1)), period: product(shape.slice(op.axis, end)), perColumn: false };
}

/** Parameters times 2^up, laid out as [period][columns to the next multiple of 8]. */
function spread(source: ArrayLike<number>, { period, perColumn }: Period, columns: number, up = 0): Int32Array {
  const stride = (columns + 7) & ~7;
  const out = new Int32Array(period * stride);
  for (let row = 0; row < period; row++) {
    const from = row * stride;
    if (source.length === 1) out.fill((source[0] as number) << up, from, from + columns);
    else if (perColumn) for (let c = 0; c < columns; c++) out[from + c] = (source[row * columns + c] as number) << up;
    else out.fill((source[row] as number) << up, from, from + columns);
  }
  return out;
}

/**
 * z·2^32 + bias·2^shift + 2^31 as 64-bit integers, low word first: |bias| < 2^31 and shift ≤ 31 + 31, and what joins z is a
 * multiple of 2^min(shift, 31), so a double holds it. Behind the columns the low word is not 0: nothing is a tie there.
 */
function startSums(bias: ArrayLike<number> | undefined, z: Int32Array, shift: number): Int32Array {
  const out = new Int32Array(2 * z.length);
  for (let j = 0; j < z.length; j++) {
    out[2 * j] = -2147483648; // 2^31 as a low word
    out[2 * j + 1] = z[j] as number;
  }
  if (bias === undefined) return out;
  for (let j = 0; j < bias.length; j++) {
    const entry = bias[j] as number;
    // Both words in int32: no double is made for each of ten thousand channels.
    const low = shift > 31 ? 0 : entry << shift;
    const high = shift > 31 ? entry << (shift - 32) : shift === 0 ? entry >> 31 : entry >> (32 - shift);
    out[2 * j] = low ^ -2147483648;
    out[2 * j + 1] = high + (low >>> 31) + (z[j] as number);
  }
  return out;
}

/** The stage of a `requantize`: vectors where the numbers allow it, one element at a time where not. */
export function requantizeStage(
  program: ValidatedProgram,
  op: RequantizeOp,
  operands: RequantizeOperands,
  pool: ConstantPool,
): StageDraft {
  const { x, xType, xShape, out, row, addend, order } = operands;
  const width = xShape[xShape.length - 1] ?? 1;
  const columns = op.channels === undefined ? width : (program.constants[op.channels]?.data.length ?? 0);
  const bias = op.bias === undefined ? undefined : program.constants[op.bias]?.data;
  const parameters: ParameterArrays = {
    m: values(program, op.m),
    e: values(program, op.e),
    z: values(program, op.z),
    bias,
  };
  const { m, e, z } = parameters;
  const uniform = m.length === 1 && e.length === 1 && z.length === 1;
  const period = periodOf(op, xShape, uniform);
  const bits = program.facts.numeratorBits[op.result] ?? 64;
  const form = vectorForm(op, parameters, bits, { dtype: xType, interval: operands.xInterval }, addend);
  const stride = ((columns + 7) & ~7) * 4;
  const outType = typeCode(op.to);
  const reads = [x, ...(row === undefined ? [] : [row]), ...(addend === undefined ? [] : [addend.ref])];
  // A row may ask for more room than its factors have; then it takes the other form.
  const largestExponent = operands.rowInterval === undefined ? 0 : operands.rowInterval.hi >> 4;
  const mayOverflow = form !== undefined && row !== undefined && largestExponent > form.xRoom + form.mRoom;
  const zs = spread(z, period, columns);
  const zAddress = pool.bytes(zs);
  const any =
    form !== undefined && !mayOverflow
      ? undefined
      : {
          m: pool.bytes(spread(m, period, columns)),
          e: pool.bytes(spread(e, period, columns)),
          bias: bias === undefined ? 0 : pool.bytes(padded(bias)),
          channels:
            op.channels === undefined ? 0 : pool.bytes(padded(program.constants[op.channels]?.data ?? [], columns)),
        };

  function anyRecord(
    resolve: (ref: Ref, dtype: DType) => readonly number[],
    arrays: NonNullable<typeof any>,
  ): number[] {
    const record = new Array<number>(R.ANY_WORDS).fill(0);
    record[R.STAGE_KIND] = R.KIND_REQUANTIZE_ANY;
    record[R.STAGE_LENGTH] = R.ANY_WORDS;
    record.splice(R.ANY_X, 4, ...resolve(x, xType));
    record.splice(R.ANY_OUT, 4, ...resolve(out, op.to));
    if (addend !== undefined) record.splice(R.ANY_ADD, 4, ...resolve(addend.ref, addend.dtype));
    if (row !== undefined) record.splice(R.ANY_ROW, 4, ...resolve(row, 'u8'));
    record[R.ANY_COLUMNS] = columns;
    record[R.ANY_X_TYPE] = typeCode(xType);
    record[R.ANY_OUT_TYPE] = outType;
    record[R.ANY_ADD_TYPE] = addend === undefined ? R.TYPE_NONE : typeCode(addend.dtype);
    record[R.ANY_ROW_TYPE] = row === undefined ? R.TYPE_NONE : R.TYPE_U8;
    record[R.ANY_M] = arrays.m;
    record[R.ANY_E] = arrays.e;
    record[R.ANY_Z] = zAddress;
    record[R.ANY_BIAS] = arrays.bias;
    record[R.ANY_K] = op.k ?? 0;
    record[R.ANY_CHANNELS] = arrays.channels;
    record[R.ANY_ADD_M] = op.addend?.m ?? 0;
    record[R.ANY_ADD_E] = op.addend?.e ?? 0;
    record[R.ANY_DIVIDE] = period.divide;
    record[R.ANY_PERIOD] = period.period;
    record[R.ANY_STRIDE] = stride;
    record[R.ANY_ROW_G] = order.group;
    record[R.ANY_ROW_I] = order.row;
    return record;
  }

  if (form === undefined) {
    if (any === undefined) throw new RangeError('the scalar form has no parameters');
    return { result: op.result, width: columns, reads, encode: ({ resolve }) => anyRecord(resolve, any) };
  }
  const mAddress = pool.bytes(spread(m, period, columns, form.mUp));
  const start =
    form.shift > 0 ? 0 : pool.bytes(startSums(bias, zs, bias === undefined ? 0 : (op.k ?? 0) + 32 - (e[0] as number)));
  return {
    result: op.result,
    width: columns,
    reads,
    ...(addend === undefined ? {} : { temps: () => [stride] }),
    encode({ resolve, temp, place }) {
      const record = new Array<number>(R.REQ_WORDS).fill(0);
      record[R.STAGE_KIND] = R.KIND_REQUANTIZE;
      record[R.STAGE_LENGTH] = R.REQ_WORDS;
      record.splice(R.REQ_X, 4, ...resolve(x, xType));
      record.splice(R.REQ_OUT, 4, ...resolve(out, op.to));
      if (addend !== undefined) record.splice(R.REQ_ADD, 4, ...resolve(addend.ref, addend.dtype));
      if (row !== undefined) record.splice(R.REQ_ROW, 4, ...resolve(row, 'u8'));
      record[R.REQ_COLUMNS] = columns;
      record[R.REQ_X_TYPE] = typeCode(xType);
      record[R.REQ_OUT_TYPE] = outType;
      record[R.REQ_ADD_TYPE] = addend === undefined ? R.TYPE_NONE : typeCode(addend.dtype);
      record[R.REQ_M] = mAddress;
      record[R.REQ_Z] = zAddress;
      record[R.REQ_START] = start;
      record[R.REQ_ROW_TYPE] = row === undefined ? R.TYPE_NONE : R.TYPE_U8;
      record[R.REQ_FACTOR] = POW2[form.xUp] as number;
      record[R.REQ_SHIFT] = form.shift;
      record[R.REQ_TIES] = form.ties ? 1 : 0;
      record[R.REQ_ADD_M] = form.addM;
      record[R.REQ_ADD_FACTOR] = POW2[form.addUp] as number;
      record[R.REQ_DIVIDE] = period.divide;
      record[R.REQ_PERIOD] = period.period;
      record[R.REQ_STRIDE] = stride;
      record[R.REQ_ROW_G] = order.group;
      record[R.REQ_ROW_I] = order.row;
      record[R.REQ_TEMP] = addend === undefined ? 0 : temp(0);
      record[R.REQ_X_ROOM] = form.xRoom;
      record[R.REQ_M_ROOM] = form.mRoom;
      record[R.REQ_ANY] = any === undefined ? 0 : place(anyRecord(resolve, any));
      return record;
    },
  };
}
