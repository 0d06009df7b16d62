import { log2Product } from '@ivit/nonlinear';
import type { LinearOp, MatmulOp } from '@ivit/program';
import { createPackedMatrix, type GemmLeft, gemm, gemmPacked, packMatrix } from '@ivit/tensor';
import type { OperandReader } from '../operands.js';

export function linearStep(op: LinearOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result) as Int32Array;
  const w = reader.constant(op.w);
  const [outputs, inputs] = w.shape as readonly [number, number];
  const packed = packMatrix(w.data as Int8Array, outputs, inputs);
  const bias = op.b === undefined ? null : (reader.constant(op.b).data as Int32Array);
  const rows = x.shape.slice(0, -1).reduce((count, size) => count * size, 1);
  return () => {
    x.refresh?.();
    gemmPacked(out, 0, outputs, x.data as Int8Array, 0, inputs, rows, packed, bias);
  };
}

export function matmulStep(op: MatmulOp, reader: OperandReader): () => void {
  const a = reader.dense(op.a);
  const b = reader.dense(op.b);
  const out = reader.data(op.result) as Int32Array;
  const rank = a.shape.length;
  const groups = a.shape.slice(0, -2).reduce((count, size) => count * size, 1);
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape[rank - 1] as number;
  const { log2 } = op;
  if (log2 !== undefined) {
    return () => {
      a.refresh?.();
      b.refresh?.();
      for (let g = 0; g < groups; g++) {
        log2Product(out, g * m * n, a.data, g * m * k, b.data, g * k * n, m, k, n, log2);
      }
    };
  }
  const scratch = createPackedMatrix();
  const left = a.data as GemmLeft;
  const right = b.data as Int8Array;
  return () => {
    a.refresh?.();
    b.refresh?.();
    for (let g = 0; g < groups; g++) {
      gemm(out, g * m * n, n, left, g * m * k, k, right, g * k * n, 1, n, m, n, k, null, scratch);
    }
  };
}
