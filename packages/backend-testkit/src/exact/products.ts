import type { LinearOp, MatmulOp } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import type { Operands } from './operands.js';
import { store, type Tensor, tensorOf } from './tensor.js';

// Sums of products of 8- and 16-bit integers: the validator bounds Σ|products| by 2^31 - 1, so every partial sum is an
// integer that a number holds exactly; `store` refuses what that proof missed.

export function linear(op: LinearOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const w = operands.constant(op.w);
  const b = op.b === undefined ? undefined : operands.constant(op.b).data;
  const [outputs, inputs] = w.shape as readonly [number, number];
  const y = tensorOf('i32', [...x.shape.slice(0, -1), outputs]);
  let at = 0;
  for (let start = 0; start < x.data.length; start += inputs) {
    for (let n = 0; n < outputs; n++) {
      let sum = b === undefined ? 0 : (b[n] as number);
      for (let k = 0; k < inputs; k++) sum += (x.data[start + k] as number) * (w.data[n * inputs + k] as number);
      store(y, at++, sum);
    }
  }
  return y;
}

export function matmul(op: MatmulOp, operands: Operands): Tensor {
  const a = operands.read(op.a);
  const b = operands.read(op.b);
  const lead = a.shape.slice(0, -2);
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const columns = b.shape[b.shape.length - 1] as number;
  const y = tensorOf('i32', [...lead, rows, columns]);
  let at = 0;
  for (let g = 0; g < elementCount(lead); g++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          const left = a.data[(g * rows + i) * inner + k] as number;
          sum += (op.log2 === undefined ? left : 1 << (15 - left)) * (b.data[(g * inner + k) * columns + j] as number);
        }
        store(y, at, sum);
      }
    }
  }
  return y;
}
