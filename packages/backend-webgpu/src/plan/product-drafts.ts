import type { LinearOp, MatmulOp } from '@ivit/program';
import type { View } from '@ivit/tensor';
import * as P from '../kernels/generic/products.wgsl.js';
import type { Draft } from './draft.js';
import { elementDraft, type Source } from './source.js';

/** Stride of the axis that is the n-th from the end. */
function stepOf({ strides }: View, fromEnd: number): number {
  return strides[strides.length - fromEnd] ?? 0;
}

export function linearDraft(source: Source, op: LinearOp): Draft {
  const { values } = source;
  const [columns, inner] = values.constant(op.w).shape as readonly [number, number];
  const draft = elementDraft(source, P.linearCode, op)
    .operand(0, op.x)
    .operand(1, { constant: op.w })
    .set(P.PRODUCT_K, inner)
    .set(P.PRODUCT_N, columns)
    .set(P.PRODUCT_BIAS, -1)
    .set(P.PRODUCT_A_STEP, stepOf(values.viewOf(op.x), 1))
    .set(P.PRODUCT_B_STEP, 1);
  return op.b === undefined ? draft : draft.int32(P.PRODUCT_BIAS, op.b, values.constant(op.b).data);
}

export function matmulDraft(source: Source, op: MatmulOp): Draft {
  const { values } = source;
  const [rows, inner] = values.viewOf(op.a).shape.slice(-2) as [number, number];
  const { shape } = values.viewOf(op.b);
  return elementDraft(source, P.matmulCode, op)
    .operand(0, op.a)
    .operand(1, op.b)
    .set(P.PRODUCT_K, inner)
    .set(P.PRODUCT_N, shape[shape.length - 1] as number)
    .set(P.PRODUCT_ROWS, rows)
    .set(P.PRODUCT_A_STEP, stepOf(values.viewOf(op.a), 1))
    .set(P.PRODUCT_B_STEP, stepOf(values.viewOf(op.b), 2))
    .set(P.PRODUCT_LOG2, op.log2 === undefined ? 0 : 1);
}
