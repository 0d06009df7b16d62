/** Ops over whole rows. */
import { divFloor } from '@ivit/dyadic';
import { POW2_FRACTION, shiftExp, shiftExpTable, shiftGeluTable } from '@ivit/nonlinear';
import type { LayernormOp, ShiftgeluOp, SoftmaxOp } from '@ivit/program';
import { MOST_ROWS } from '../kernels/common/row-kernel.wgsl.js';
import { LAYERNORM_BIAS, layernormCode } from '../kernels/nonlinear/layernorm.wgsl.js';
import { GELU_DISTANCE, GELU_OTHER, shiftgeluCode } from '../kernels/nonlinear/shiftgelu.wgsl.js';
import { SOFTMAX_BITS, SOFTMAX_LAST, SOFTMAX_TABLE, softmaxCode } from '../kernels/nonlinear/softmax.wgsl.js';
import { PER_WORD_SHIFT } from '../layout.js';
import { Draft } from './draft.js';
import type { Source } from './source.js';

/** A draft of a row kernel: rows of a workgroup end on a whole word. */
function rowDraft(source: Source, code: string, op: SoftmaxOp | ShiftgeluOp | LayernormOp): Draft {
  const { dtype, shape } = source.values.type(op.result);
  const length = shape[shape.length - 1] as number;
  const draft = new Draft(source.values, code, op.result, source.needed(op.result)).operand(0, op.x);
  let rows = 1;
  while (rows < MOST_ROWS && (rows * length) & ((1 << PER_WORD_SHIFT[dtype]) - 1)) rows *= 2;
  const count = -divFloor(-source.needed(op.result), length);
  return draft.set(4, length).set(5, rows).groups(-divFloor(-count, rows));
}

/** Bits that tell the kernel of 4-bit codes. */
const LOG2_BITS = 4;

export function softmaxDraft(source: Source, op: SoftmaxOp): Draft {
  const draft = rowDraft(source, softmaxCode, op);
  const { exponential } = op;
  draft.set(SOFTMAX_BITS, op.log2 === undefined ? op.bits : LOG2_BITS);
  if ('pow2' in exponential) {
    return draft.int32(SOFTMAX_TABLE, 'pow2', POW2_FRACTION).set(SOFTMAX_LAST, -1 - exponential.pow2);
  }
  if ('table' in exponential) {
    const { data } = source.values.constant(exponential.table);
    return draft.int32(SOFTMAX_TABLE, exponential.table, data).set(SOFTMAX_LAST, data.length - 1);
  }
  const { shift, n } = exponential;
  const table = shiftExpTable(shift, n);
  return draft.int32(SOFTMAX_TABLE, `shift ${shift} ${n}`, table).set(SOFTMAX_LAST, table.length - 1);
}

export function shiftgeluDraft(source: Source, op: ShiftgeluOp): Draft {
  const draft = rowDraft(source, shiftgeluCode, op);
  const other = Int32Array.from({ length: 256 }, (_, i) => shiftExp(128 - i, op.x0, op.n));
  draft.int32(GELU_DISTANCE, `gelu ${op.x0} ${op.n}`, shiftGeluTable(op.x0, op.n));
  return draft.int32(GELU_OTHER, `other ${op.x0} ${op.n}`, other);
}

export function layernormDraft(source: Source, op: LayernormOp): Draft {
  const draft = rowDraft(source, layernormCode, op).set(LAYERNORM_BIAS, -1);
  return op.b === undefined ? draft : draft.int32(LAYERNORM_BIAS, op.b, source.values.constant(op.b).data);
}
