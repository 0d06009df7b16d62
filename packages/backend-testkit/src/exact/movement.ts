import type { ConcatOp, GatherOp, LookupOp, MeanOp, ValueType } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { rne } from './integers.js';
import type { Operands } from './operands.js';
import { rowsOf, store, type Tensor, tensorOf } from './tensor.js';

export function lookup(op: LookupOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const table = operands.constant(op.table);
  const y = tensorOf(table.dtype, x.shape);
  const first = x.dtype === 'u8' ? 0 : 128;
  const channels = table.shape.length === 2;
  let at = 0;
  for (const row of rowsOf(x)) {
    for (const [c, value] of row.entries()) {
      store(y, at++, table.data[(channels ? c : 0) * 256 + value + first] as number);
    }
  }
  return y;
}

export function mean(op: MeanOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const y = tensorOf(
    x.dtype,
    x.shape.filter((_, axis) => axis !== op.axis),
  );
  const size = x.shape[op.axis] as number;
  const inner = elementCount(x.shape.slice(op.axis + 1));
  let at = 0;
  for (let start = 0; start < x.data.length; start += size * inner) {
    for (let i = 0; i < inner; i++) {
      let sum = 0n;
      for (let k = 0; k < size; k++) sum += BigInt(x.data[start + k * inner + i] as number);
      store(y, at++, rne(sum, BigInt(size)));
    }
  }
  return y;
}

export function gather(op: GatherOp, operands: Operands, result: ValueType): Tensor {
  const x = operands.read(op.x);
  const y = tensorOf(x.dtype, result.shape);
  let at = 0;
  for (const row of operands.constant(op.rows).data) {
    for (let i = 0; i < op.width; i++) y.data[at++] = x.data[row * op.width + i] as number;
  }
  return y;
}

export function concat(op: ConcatOp, operands: Operands, result: ValueType): Tensor {
  const y = tensorOf(result.dtype, result.shape);
  let at = 0;
  for (const operand of op.operands) {
    const part = operands.read(operand).data;
    y.data.set(part, at);
    at += part.length;
  }
  return y;
}
