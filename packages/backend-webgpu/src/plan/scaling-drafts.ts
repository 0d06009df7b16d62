import { DTYPE_RANGE, type RequantizeOp, type RowquantizeOp, type RowscaleOp } from '@ivit/program';
import { broadcastView, elementCount } from '@ivit/tensor';
import { MOST_ROWS } from '../kernels/common/row-kernel.wgsl.js';
import * as R from '../kernels/scaling/requantize.wgsl.js';
import * as S from '../kernels/scaling/row-scale.wgsl.js';
import { Draft } from './draft.js';
import { elementDraft, type Source, setParameter } from './source.js';

const lastOf = (shape: readonly number[]): number => shape[shape.length - 1] ?? 1;

export function requantizeDraft(source: Source, op: RequantizeOp): Draft {
  const { values } = source;
  const draft = elementDraft(source, R.requantizeCode, op).operand(0, op.x);
  const { shape } = values.viewOf(op.x);
  setParameter(source, draft, R.REQUANTIZE_M, op.m);
  setParameter(source, draft, R.REQUANTIZE_E, op.e);
  setParameter(source, draft, R.REQUANTIZE_Z, op.z);
  const run = elementCount(shape.slice(op.axis, op.axis + op.run));
  draft.set(R.REQUANTIZE_RUN, run).set(R.REQUANTIZE_INNER, elementCount(shape.slice(op.axis + op.run)));
  draft.set(R.REQUANTIZE_CHANNELS, -1).set(R.REQUANTIZE_BIAS, -1);
  if (op.channels !== undefined) {
    const { data } = values.constant(op.channels);
    draft.int32(R.REQUANTIZE_CHANNELS, op.channels, data).set(R.REQUANTIZE_WIDTH, data.length);
  }
  const { lo, hi } = DTYPE_RANGE[op.to];
  draft.set(R.REQUANTIZE_LO, lo).set(R.REQUANTIZE_HI, hi);
  if (op.addend !== undefined) {
    const { operand, m, e } = op.addend;
    draft.operand(1, operand, broadcastView(values.viewOf(operand), values.type(op.result).shape));
    draft.set(R.REQUANTIZE_ADDED, 1).set(R.REQUANTIZE_ADD_M, m).set(R.REQUANTIZE_ADD_E, e);
  }
  if (op.row !== undefined) {
    draft.set(R.REQUANTIZE_ROW, 1).operand(2, op.row);
    draft.set(R.REQUANTIZE_K, op.k ?? 0);
    if (op.bias !== undefined) draft.int32(R.REQUANTIZE_BIAS, op.bias, values.constant(op.bias).data);
  }
  return draft;
}

export function rowscaleDraft(source: Source, op: RowscaleOp): Draft {
  const rows = source.needed(op.result);
  const draft = new Draft(source.values, S.rowscaleCode, op.result, rows).operand(0, op.x);
  // Rows of one element each in the result: four of them make a word.
  draft.set(4, 1).set(5, MOST_ROWS);
  draft.set(S.ROWSCALE_LENGTH, lastOf(source.values.viewOf(op.x).shape));
  setParameter(source, draft, S.ROWSCALE_CP, op.cp, S.ROWSCALE_CP_STEP);
  setParameter(source, draft, S.ROWSCALE_CN, op.cn, S.ROWSCALE_CN_STEP);
  return draft.groups((rows + MOST_ROWS - 1) >>> 2);
}

export function rowquantizeDraft(source: Source, op: RowquantizeOp): Draft {
  const { values } = source;
  const draft = elementDraft(source, S.rowquantizeCode, op).operand(0, op.x).operand(1, op.row);
  draft.set(S.ROWQUANTIZE_WIDTH, lastOf(values.viewOf(op.x).shape));
  draft.set(S.ROWQUANTIZE_COUNT, lastOf(values.type(op.result).shape)).set(S.ROWQUANTIZE_Z, op.z);
  draft.set(S.ROWQUANTIZE_CHANNELS, -1).set(S.ROWQUANTIZE_SLOT, -1);
  if (op.channels !== undefined) {
    draft.int32(S.ROWQUANTIZE_CHANNELS, op.channels, values.constant(op.channels).data);
  }
  if (op.slot !== undefined) draft.int32(S.ROWQUANTIZE_SLOT, op.slot, values.constant(op.slot).data);
  return draft;
}
