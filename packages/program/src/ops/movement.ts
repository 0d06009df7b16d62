import { elementCount } from '@ivit/tensor';
import type { ConcatOp, DType, GatherOp, MeanOp, ValueType } from '../types.js';
import { type OpContext, type OpResult, reachOf } from './context.js';

/** Sums below this divide exactly in a double (`divRne` of @ivit/dyadic). */
const MEAN_LIMIT = 2 ** 51;

const ANY: readonly DType[] = ['u8', 'i8', 'i16', 'i32'];

export function inferMean(op: MeanOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ANY);
  context.integer(op.axis, 0, x.shape.length - 1, 'axis');
  const sum = (x.shape[op.axis] as number) * reachOf(x.bound);
  if (sum >= MEAN_LIMIT) context.fail('E_PROGRAM_OVERFLOW', 'x', `the sum may reach ${sum}, beyond 2^51`);
  const shape = x.shape.filter((_, axis) => axis !== op.axis);
  return { type: { dtype: x.dtype, shape }, bound: x.bound };
}

/** The result's shape is free: it is taken from the declaration, and only its element count is checked. */
export function inferGather(op: GatherOp, context: OpContext, declared: ValueType | undefined): OpResult {
  const x = context.operand(op.x, 'x', ANY);
  const count = elementCount(x.shape);
  const width = context.integer(op.width, 1, count, 'width');
  context.check(count % width === 0, 'E_PROGRAM_SHAPE', 'width', `${count} elements are no rows of ${width}`);
  const rows = context.constant(op.rows, 'rows', ['i32'], [undefined]);
  const limit = count / width; // float-ok: width divides count
  for (let i = 0; i < rows.data.length; i++) {
    const row = rows.data[i] as number;
    if (row < 0 || row >= limit)
      context.fail('E_PROGRAM_BOUNDS', 'rows', `rows[${i}] is ${row}, not in 0…${limit - 1}`);
  }
  const shape = declared === undefined ? [rows.data.length, width] : [...declared.shape];
  if (elementCount(shape) !== rows.data.length * width) {
    context.fail(
      'E_PROGRAM_SHAPE',
      'result',
      `[${shape.join(',')}] does not hold ${rows.data.length} rows of ${width}`,
    );
  }
  const last = shape[shape.length - 1];
  const keep = x.channels !== undefined && width === last && width === x.shape[x.shape.length - 1];
  return { type: { dtype: x.dtype, shape }, bound: x.bound, ...(keep && x.channels ? { channels: x.channels } : {}) };
}

export function inferConcat(op: ConcatOp, context: OpContext): OpResult {
  const parts = op.operands.map((operand, i) => context.operand(operand, `operands[${i}]`, ANY));
  const first = parts[0];
  if (first === undefined || first.shape.length === 0) {
    context.fail('E_PROGRAM_SHAPE', 'operands', 'concat needs operands with an axis 0');
  }
  let size = 0;
  let { lo, hi } = first.bound;
  for (const [i, part] of parts.entries()) {
    const same = part.dtype === first.dtype && part.shape.length === first.shape.length;
    if (!same || part.shape.some((n, axis) => axis > 0 && n !== first.shape[axis])) {
      const field = `operands[${i}]`;
      context.fail(
        'E_PROGRAM_SHAPE',
        field,
        `${part.dtype}[${part.shape.join(',')}] cannot follow ${first.dtype}[${first.shape.join(',')}]`,
      );
    }
    size += part.shape[0] as number;
    lo = Math.min(lo, part.bound.lo);
    hi = Math.max(hi, part.bound.hi);
  }
  return { type: { dtype: first.dtype, shape: [size, ...first.shape.slice(1)] }, bound: { lo, hi } };
}
