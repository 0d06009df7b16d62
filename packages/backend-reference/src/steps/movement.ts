import { divRne } from '@ivit/dyadic';
import type { ConcatOp, GatherOp, IntArray, LookupOp, MeanOp } from '@ivit/program';
import type { OperandReader } from '../operands.js';

/** y = table[c][index], index = v (u8) or v + 128 (i8); the table is shared or one per entry of the last axis. */
export function lookupStep(op: LookupOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result);
  const constant = reader.constant(op.table);
  const table = constant.data;
  const channels = constant.shape.length === 2 ? (constant.shape[0] as number) : 1;
  const bias = x.data instanceof Int8Array ? 128 : 0;
  return () => {
    x.refresh?.();
    for (let i = 0, channel = 0; i < out.length; i++) {
      out[i] = table[channel * 256 + (x.data[i] as number) + bias] as number;
      channel += 1;
      if (channel === channels) channel = 0;
    }
  };
}

/** y = rne(Σx / n) along one axis. */
export function meanStep(op: MeanOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result);
  const size = x.shape[op.axis] as number;
  const inner = x.shape.slice(op.axis + 1).reduce((product, n) => product * n, 1);
  return () => {
    x.refresh?.();
    for (let i = 0; i < out.length; i++) {
      const column = i % inner;
      const start = (i - column) * size + column;
      let sum = 0;
      for (let k = 0; k < size; k++) sum += x.data[start + k * inner] as number;
      out[i] = divRne(sum, size);
    }
  };
}

/** Rows of `width` elements in the order that `rows` names. */
export function gatherStep(op: GatherOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result);
  const rows = reader.constant(op.rows).data;
  const { width } = op;
  return () => {
    x.refresh?.();
    for (let r = 0; r < rows.length; r++) {
      const from = (rows[r] as number) * width;
      for (let i = 0; i < width; i++) out[r * width + i] = x.data[from + i] as number;
    }
  };
}

/** Operands one after the other. */
export function concatStep(op: ConcatOp, reader: OperandReader): () => void {
  const parts = op.operands.map((operand) => reader.dense(operand));
  const out: IntArray = reader.data(op.result);
  return () => {
    let offset = 0;
    for (const part of parts) {
      part.refresh?.();
      out.set(part.data, offset);
      offset += part.data.length;
    }
  };
}
