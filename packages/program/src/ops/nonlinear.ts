import { POW2 } from '@ivit/dyadic';
import { INT32_MAX } from '../dtype.js';
import type { Exponential, Interval, LayernormOp, LookupOp, RamplookupOp, ShiftgeluOp, SoftmaxOp } from '../types.js';
import type { OpContext, OperandInfo, OpResult } from './context.js';
import { maximum, minimum } from './scaling.js';

/**
 * ⌊1.02·2^30⌋, the bound of ((x-μ)·(M//k))>>1: |x-μ| ≤ √v, k ≥ ⌊√v⌋ after the first Newton step and k ≥ 64 always,
 * so |x-μ|/k ≤ 1 + 1/64 (docs/spec, layernorm).
 */
const LAYERNORM_BOUND = 1095216660;
/** Rows this long keep v = Σ(x-μ)² below 2^48. */
const LAYERNORM_MAX_LENGTH = 65536;

export function inferSoftmax(op: SoftmaxOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ['i8', 'i16']);
  context.check(x.shape.length >= 1, 'E_PROGRAM_SHAPE', 'x', 'softmax needs a last axis');
  const length = x.shape[x.shape.length - 1] as number;
  if (op.bits !== 8 && op.bits !== 16)
    context.fail('E_PROGRAM_PARAMETER', 'bits', `bits is ${String(op.bits)}, not 8 or 16`);
  if (op.log2 !== undefined) return inferLog2(op, x, length, context);
  const top = (POW2[op.bits - 1] as number) - 1;
  let rowSum: number | undefined;
  if ('pow2' in op.exponential) {
    context.integer(op.exponential.pow2, 0, 8, 'pow2');
    context.check(length <= 65536, 'E_PROGRAM_SHAPE', 'x', 'softmax pow2 takes rows of at most 65536');
    // S·r ≤ M·2^h·(1 + 2^-15) and each y rounds up by at most 1/2.
    rowSum = top + 2 + ((length + 1) >> 1);
  } else {
    const largest = largestExponential(op.exponential, context);
    if (length * largest <= INT32_MAX) rowSum = top;
  }
  return {
    type: { dtype: op.bits === 8 ? 'i8' : 'i16', shape: [...x.shape] },
    bound: { lo: 0, hi: top },
    ...(rowSum === undefined ? {} : { rowSum }),
  };
}

/**
 * Log2 codes: c = 0 … 15. Nothing clipped, 2^-c ≤ 1.5·E/S: r = rne(S/E) ≤ 1.5·2^c - 1 for c ≥ 1 and S/E ≤ r + ½ (for c = 0,
 * r = 1 and S/E ≤ 1.5). What is clipped weighs 2^0 of 2^15. So Σ 2^(15-c) ≤ 1.5·2^15 + L, which `matmul` reads as row sum.
 */
function inferLog2(op: SoftmaxOp, x: OperandInfo, length: number, context: OpContext): OpResult {
  context.check(op.log2 === 4, 'E_PROGRAM_PARAMETER', 'log2', `log2 is ${String(op.log2)}, not 4`);
  context.check(op.bits === 8, 'E_PROGRAM_PARAMETER', 'bits', 'log2 codes have bits 8: they are stored as u8');
  let largest = POW2[15] as number;
  if ('pow2' in op.exponential) context.integer(op.exponential.pow2, 0, 8, 'pow2');
  else largest = largestExponential(op.exponential, context);
  if (length * largest > INT32_MAX) {
    context.fail(
      'E_PROGRAM_OVERFLOW',
      'x',
      `a sum of ${length} exponentials may reach ${length * largest}, beyond 2^31-1`,
    );
  }
  return { type: { dtype: 'u8', shape: [...x.shape] }, bound: { lo: 0, hi: 15 }, rowSum: 49152 + length };
}

/** exp(0) of a table, proved positive and falling, or of the shift form. */
function largestExponential(exponential: Exclude<Exponential, { readonly pow2: number }>, context: OpContext): number {
  let largest: number;
  if ('table' in exponential) {
    const table = context.constant(exponential.table, 'table', ['i32'], [undefined]).data;
    for (let i = 0; i < table.length; i++) {
      const entry = table[i] as number;
      const before = i === 0 ? INT32_MAX : (table[i - 1] as number);
      if (entry <= 0 || entry > before) {
        context.fail('E_PROGRAM_PARAMETER', 'table', `entry ${i} is ${entry}: a table is positive and never increases`);
      }
    }
    largest = table[0] as number;
  } else {
    const x0 = context.integer(exponential.shift, -INT32_MAX, -1, 'shift');
    const n = context.integer(exponential.n, 1, 30, 'n');
    largest = -x0 * (POW2[n] as number);
    if (largest > INT32_MAX) context.fail('E_PROGRAM_OVERFLOW', 'shift', `exp(0) is ${largest}, beyond 2^31-1`);
  }
  return largest;
}

export function inferShiftgelu(op: ShiftgeluOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ['i8']);
  context.check(x.shape.length >= 1, 'E_PROGRAM_SHAPE', 'x', 'shiftgelu needs a last axis');
  context.integer(op.x0, -127, -1, 'x0');
  context.integer(op.n, 1, 23, 'n');
  const bound = { lo: Math.min(0, x.bound.lo * 127), hi: Math.max(0, x.bound.hi * 127) };
  return { type: { dtype: 'i16', shape: [...x.shape] }, bound };
}

export function inferLayernorm(op: LayernormOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ['i8', 'i16']);
  context.check(x.shape.length >= 1, 'E_PROGRAM_SHAPE', 'x', 'layernorm needs a last axis');
  const length = x.shape[x.shape.length - 1] as number;
  if (length > LAYERNORM_MAX_LENGTH) {
    context.fail('E_PROGRAM_OVERFLOW', 'x', `rows of ${length} could take the variance beyond 2^48`);
  }
  const lo = new Int32Array(length).fill(-LAYERNORM_BOUND);
  const hi = new Int32Array(length).fill(LAYERNORM_BOUND);
  if (op.b !== undefined) {
    const b = context.constant(op.b, 'b', ['i32'], [length]).data;
    for (let c = 0; c < length; c++) {
      const bias = b[c] as number;
      if (Math.abs(bias) > INT32_MAX - LAYERNORM_BOUND) {
        context.fail('E_PROGRAM_OVERFLOW', 'b', `b[${c}] is ${bias}, beyond 2^31-1 - 1.02·2^30`);
      }
      lo[c] = bias - LAYERNORM_BOUND;
      hi[c] = bias + LAYERNORM_BOUND;
    }
  }
  const bound = { lo: minimum(lo), hi: maximum(hi) };
  return { type: { dtype: 'i32', shape: [...x.shape] }, bound, channels: { lo, hi } };
}

export function inferLookup(op: LookupOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ['u8', 'i8']);
  const table = context.constant(op.table, 'table', ['i8', 'i16']);
  const perChannel = table.shape.length === 2;
  const last = x.shape[x.shape.length - 1];
  const fits = perChannel
    ? table.shape[0] === last && table.shape[1] === 256
    : table.shape.length === 1 && table.shape[0] === 256;
  if (!fits) {
    context.fail(
      'E_PROGRAM_SHAPE',
      'table',
      `a table of [${table.shape.join(',')}] is neither [256] nor [${last},256]`,
    );
  }
  const dtype = table.dtype === 'i8' ? 'i8' : 'i16';
  return { type: { dtype, shape: [...x.shape] }, bound: context.constantBound(op.table, 'table') };
}

export function inferRamplookup(op: RamplookupOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ['i16']);
  const u = context.integer(op.u, 0, 8, 'u');
  const table = context.constant(op.table, 'table', ['i16'], [undefined]);
  if (table.data[table.data.length - 1] !== 0) {
    context.fail('E_PROGRAM_PARAMETER', 'table', 'the last entry must be 0: it stands for every larger |x|');
  }
  const entries = context.constantBound(op.table, 'table');
  const bound: Interval = { lo: entries.lo, hi: Math.max(0, x.bound.hi) * (POW2[u] as number) + entries.hi };
  return { type: { dtype: 'i32', shape: [...x.shape] }, bound: context.fits(bound, 'i32', 'x') };
}
