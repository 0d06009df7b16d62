import { POW2 } from '@ivit/dyadic';
import { elementCount } from '@ivit/tensor';
import { INT32_MAX } from '../dtype.js';
import type { LinearOp, MatmulOp } from '../types.js';
import { absoluteSums } from './absolute-sums.js';
import { type OpContext, type OperandInfo, type OpResult, reachOf } from './context.js';
import { maximum, minimum } from './scaling.js';

export function inferLinear(op: LinearOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ['i8']);
  context.check(x.shape.length >= 1, 'E_PROGRAM_SHAPE', 'x', 'linear needs a last axis');
  const inputs = x.shape[x.shape.length - 1] as number;
  const w = context.constant(op.w, 'w', ['i8'], [undefined, inputs]);
  const outputs = w.shape[0] as number;
  const b = op.b === undefined ? undefined : context.constant(op.b, 'b', ['i32'], [outputs]).data;
  const largest = reachOf(x.bound);
  const sums = absoluteSums(w.data, outputs, inputs);
  const lo = new Int32Array(outputs);
  const hi = new Int32Array(outputs);
  for (let n = 0; n < outputs; n++) {
    const bias = b === undefined ? 0 : (b[n] as number);
    const reach = (sums[n] as number) * largest;
    if (Math.abs(bias) + reach > INT32_MAX) {
      context.fail('E_PROGRAM_OVERFLOW', 'w', `row ${n} may reach ${Math.abs(bias) + reach}, beyond 2^31-1`);
    }
    lo[n] = bias - reach;
    hi[n] = bias + reach;
  }
  const shape = [...x.shape.slice(0, -1), outputs];
  return {
    type: { dtype: 'i32', shape },
    bound: { lo: minimum(lo), hi: maximum(hi) },
    channels: { lo, hi },
    macs: elementCount(shape) * inputs,
  };
}

/** Largest 2^(15 - code), codes proved to be 0 … 15. */
function largestPower(op: MatmulOp, a: OperandInfo, context: OpContext): number {
  context.check(op.log2 === 4, 'E_PROGRAM_PARAMETER', 'log2', `log2 is ${String(op.log2)}, not 4`);
  context.check(a.bound.hi <= 15, 'E_PROGRAM_OVERFLOW', 'a', `codes may reach ${a.bound.hi}, beyond 15`);
  return POW2[15 - a.bound.lo] as number;
}

export function inferMatmul(op: MatmulOp, context: OpContext): OpResult {
  const a = context.operand(op.a, 'a', op.log2 === undefined ? ['i8', 'i16'] : ['u8']);
  const b = context.operand(op.b, 'b', ['i8']);
  const rank = a.shape.length;
  const lead = a.shape.slice(0, -2);
  if (rank < 2 || b.shape.length !== rank || lead.some((size, axis) => size !== b.shape[axis])) {
    context.fail('E_PROGRAM_SHAPE', 'a', `[${a.shape.join(',')}] times [${b.shape.join(',')}] is no product`);
  }
  const inner = a.shape[rank - 1] as number;
  if (b.shape[rank - 2] !== inner) {
    context.fail('E_PROGRAM_SHAPE', 'b', `a has ${inner} columns, b has ${b.shape[rank - 2]} rows`);
  }
  const largestA = op.log2 === undefined ? reachOf(a.bound) : largestPower(op, a, context);
  const largestB = reachOf(b.bound);
  const row = Math.min(inner * largestA, a.rowSum ?? Number.POSITIVE_INFINITY);
  const reach = row * largestB;
  if (reach > INT32_MAX) {
    context.fail('E_PROGRAM_OVERFLOW', 'a', `a sum of ${inner} products may reach ${reach}, beyond 2^31-1`);
  }
  const shape = [...lead, a.shape[rank - 2] as number, b.shape[rank - 1] as number];
  return { type: { dtype: 'i32', shape }, bound: { lo: 0 - reach, hi: reach }, macs: elementCount(shape) * inner };
}
