/** Stages of the ops that scale or normalize a row: `rowscale`, `rowquantize`, `layernorm`. */
import type { LayernormOp, Param, RowquantizeOp, RowscaleOp } from '@ivit/program';
import type { DType } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { padded } from './constants.js';
import { constantData, type Ref, type StageDraft, type StageSource, startRecord, typeCode } from './stage.js';

function bound(source: StageSource, param: Param): ArrayLike<number> {
  return typeof param === 'number' ? [param] : constantData(source, param.constant);
}

interface RowBounds {
  readonly cp: number;
  readonly cn: number;
  /** Address of -1 where a column has these bounds, else 0; 0 if all have. */
  readonly mask: number;
  /** Column, cp and cn of the others. */
  readonly others: readonly (readonly [number, number, number])[];
}

/** The bounds that most columns share, for whole vectors, and the rest one by one. */
function rowBounds({ pool }: StageSource, cp: ArrayLike<number>, cn: ArrayLike<number>, columns: number): RowBounds {
  const at = (values: ArrayLike<number>, column: number): number => values[values.length === 1 ? 0 : column] as number;
  if (cp.length === 1 && cn.length === 1) return { cp: at(cp, 0), cn: at(cn, 0), mask: 0, others: [] };
  const counts = new Map<string, number>();
  let most = { cp: at(cp, 0), cn: at(cn, 0), count: 0 };
  for (let column = 0; column < columns; column++) {
    const pair = { cp: at(cp, column), cn: at(cn, column) };
    const count = (counts.get(`${pair.cp} ${pair.cn}`) ?? 0) + 1;
    counts.set(`${pair.cp} ${pair.cn}`, count);
    if (count > most.count) most = { ...pair, count };
  }
  if (most.count === columns) return { ...most, mask: 0, others: [] };
  const mask = new Int16Array(columns);
  const others: [number, number, number][] = [];
  for (let column = 0; column < columns; column++) {
    if (at(cp, column) === most.cp && at(cn, column) === most.cn) mask[column] = -1;
    else others.push([column, at(cp, column), at(cn, column)]);
  }
  return { ...most, mask: pool.bytes(mask), others };
}

export function rowscaleStage(source: StageSource, op: RowscaleOp, x: Ref, columns: number, out: Ref): StageDraft {
  const { cp, cn, mask, others } = rowBounds(source, bound(source, op.cp), bound(source, op.cn), columns);
  const othersAddress = others.length === 0 ? 0 : source.pool.bytes(Int32Array.from(others.flat()));
  return {
    result: op.result,
    width: 1,
    reads: [x],
    encode({ resolve }) {
      const record = startRecord(R.KIND_ROWSCALE, R.SCALE_WORDS);
      record.splice(R.SCALE_X, 4, ...resolve(x, 'i16'));
      record.splice(R.SCALE_OUT, 4, ...resolve(out, 'u8'));
      record[R.SCALE_COLUMNS] = columns;
      record[R.SCALE_CP] = cp;
      record[R.SCALE_CN] = cn;
      record[R.SCALE_MASK] = mask;
      record[R.SCALE_OTHERS] = othersAddress;
      record[R.SCALE_OTHER_COUNT] = others.length;
      return record;
    },
  };
}

/** Leading columns that stand for themselves and are in no slot: slots come after them, where a recipe adds some. */
function plainColumns(source: StageSource, op: RowquantizeOp, columns: number): number {
  const channels = op.channels === undefined ? undefined : constantData(source, op.channels);
  const slots = op.slot === undefined ? undefined : constantData(source, op.slot);
  let plain = 0;
  while (plain < columns && (channels?.[plain] ?? plain) === plain && (slots?.[plain] ?? 0) === 0) plain += 1;
  return plain;
}

export function rowquantizeStage(
  source: StageSource,
  op: RowquantizeOp,
  x: Ref,
  row: Ref,
  columns: number,
  out: Ref,
): StageDraft {
  const channels = op.channels === undefined ? 0 : source.pool.bytes(padded(constantData(source, op.channels)));
  const slots = op.slot === undefined ? 0 : source.pool.bytes(constantData(source, op.slot));
  const plain = plainColumns(source, op, columns);
  return {
    result: op.result,
    width: columns,
    reads: [x, row],
    encode({ resolve }) {
      const record = startRecord(R.KIND_ROWQUANTIZE, R.QUANT_WORDS);
      record.splice(R.QUANT_X, 4, ...resolve(x, 'i16'));
      record.splice(R.QUANT_ROW, 4, ...resolve(row, 'u8'));
      record.splice(R.QUANT_OUT, 4, ...resolve(out, 'i8'));
      record[R.QUANT_COLUMNS] = columns;
      record[R.QUANT_Z] = op.z;
      record[R.QUANT_CHANNELS] = channels;
      record[R.QUANT_SLOTS] = slots;
      record[R.QUANT_PLAIN] = plain;
      return record;
    },
  };
}

export function layernormStage(
  source: StageSource,
  op: LayernormOp,
  x: Ref,
  xType: DType,
  columns: number,
  out: Ref,
): StageDraft {
  const bias = op.b === undefined ? 0 : source.pool.bytes(padded(constantData(source, op.b)));
  return {
    result: op.result,
    width: columns,
    reads: [x],
    encode({ resolve }) {
      const record = startRecord(R.KIND_LAYERNORM, R.NORM_WORDS);
      record.splice(R.NORM_X, 4, ...resolve(x, xType));
      record.splice(R.NORM_OUT, 4, ...resolve(out, 'i32'));
      record[R.NORM_COLUMNS] = columns;
      record[R.NORM_X_TYPE] = typeCode(xType);
      record[R.NORM_BIAS] = bias;
      return record;
    },
  };
}
