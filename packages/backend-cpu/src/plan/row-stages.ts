/** Stages of the ops that scale or normalize a row: `rowscale`, `rowquantize`, `layernorm`. */
import type { LayernormOp, Param, RowquantizeOp, RowscaleOp } from '@ivit/program';
import type { DType } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { padded } from './constants.js';
import { constantData, type Ref, type StageDraft, type StageSource, startRecord, typeCode } from './stage.js';

function bound(source: StageSource, param: Param): ArrayLike<number> {
  return typeof param === 'number' ? [param] : constantData(source, param.constant);
}

export function rowscaleStage(source: StageSource, op: RowscaleOp, x: Ref, columns: number, out: Ref): StageDraft {
  const cp = bound(source, op.cp);
  const cn = bound(source, op.cn);
  const each = cp.length > 1 || cn.length > 1;
  const cpWord = each ? source.pool.bytes(padded(cp, columns)) : (cp[0] as number);
  const cnWord = each ? source.pool.bytes(padded(cn, columns)) : (cn[0] as number);
  return {
    result: op.result,
    width: 1,
    reads: [x],
    encode({ resolve }) {
      const record = startRecord(R.KIND_ROWSCALE, R.SCALE_WORDS);
      record.splice(R.SCALE_X, 4, ...resolve(x, 'i16'));
      record.splice(R.SCALE_OUT, 4, ...resolve(out, 'u8'));
      record[R.SCALE_COLUMNS] = columns;
      record[R.SCALE_CP] = cpWord;
      record[R.SCALE_CN] = cnWord;
      record[R.SCALE_EACH] = each ? 1 : 0;
      return record;
    },
  };
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
