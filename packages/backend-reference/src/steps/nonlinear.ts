import {
  layerNormRows,
  log2SoftmaxRows,
  rampLookup,
  type SoftmaxExponential,
  shiftExpTable,
  shiftGeluRows,
  shiftGeluTable,
  softmaxRows,
} from '@ivit/nonlinear';
import type { Exponential, LayernormOp, RamplookupOp, ShiftgeluOp, SoftmaxOp } from '@ivit/program';
import type { DenseOperand, OperandReader } from '../operands.js';

interface Rows {
  readonly rows: number;
  readonly length: number;
}

function rowsOf(x: DenseOperand): Rows {
  const length = x.shape[x.shape.length - 1] as number;
  return { length, rows: x.shape.slice(0, -1).reduce((count, size) => count * size, 1) };
}

/** The shift form runs as its table: the same integers, looked up. */
function exponentialOf(exponential: Exponential, reader: OperandReader): SoftmaxExponential {
  if ('pow2' in exponential) return exponential;
  if ('shift' in exponential) return { table: shiftExpTable(exponential.shift, exponential.n) };
  return { table: Int32Array.from(reader.constant(exponential.table).data) };
}

export function softmaxStep(op: SoftmaxOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result);
  const { rows, length } = rowsOf(x);
  const exponential = exponentialOf(op.exponential, reader);
  const { log2 } = op;
  if (log2 !== undefined) {
    return () => {
      x.refresh?.();
      log2SoftmaxRows(out, 0, x.data, 0, rows, length, exponential, log2);
    };
  }
  return () => {
    x.refresh?.();
    softmaxRows(out, 0, x.data, 0, rows, length, exponential, op.bits);
  };
}

export function shiftgeluStep(op: ShiftgeluOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result);
  const { rows, length } = rowsOf(x);
  const table = shiftGeluTable(op.x0, op.n);
  return () => {
    x.refresh?.();
    shiftGeluRows(out, 0, x.data, 0, rows, length, op.x0, op.n, table);
  };
}

export function layernormStep(op: LayernormOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result) as Int32Array;
  const { rows, length } = rowsOf(x);
  const bias = op.b === undefined ? null : reader.constant(op.b).data;
  return () => {
    x.refresh?.();
    layerNormRows(out, 0, x.data, 0, rows, length, bias);
  };
}

export function ramplookupStep(op: RamplookupOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result) as Int32Array;
  const table = reader.constant(op.table).data as Int16Array;
  return () => {
    x.refresh?.();
    rampLookup(out, 0, x.data, 0, out.length, table, op.u);
  };
}
