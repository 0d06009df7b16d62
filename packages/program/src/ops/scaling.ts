import { POW2 } from '@ivit/dyadic';
import { DTYPE_RANGE, INT32_MAX } from '../dtype.js';
import type { IntArray, RequantizeOp, RowquantizeOp, RowscaleOp } from '../types.js';
import { type ChannelBounds, type OpContext, type OperandInfo, type OpResult, reachOf } from './context.js';
import { boundRun, TERM_LIMIT, type TermInterval, type TermRun, termInterval } from './numerator.js';

interface Run {
  /** Number of parameter channels of x. */
  readonly count: number;
  readonly isLastAxis: boolean;
}

function runOf(op: RequantizeOp, x: OperandInfo, context: OpContext): Run {
  const rank = x.shape.length;
  context.integer(op.run, 0, rank, 'run');
  context.integer(op.axis, 0, Math.max(0, rank - op.run), 'axis');
  let count = 1;
  for (let axis = op.axis; axis < op.axis + op.run; axis++) count *= x.shape[axis] as number;
  return { count, isLastAxis: op.run === 1 && op.axis === rank - 1 };
}

/** Greatest f·2^E of a row code up to `code`: the code orders the scales. */
function rowFactor(code: number): number {
  return (16 + (code & 15)) * (POW2[code >> 4] as number);
}

/** Interval of rne(a·m/2^e) of an addend, and the bits of the largest |a·m|. */
function addendInterval(op: RequantizeOp, shape: readonly number[], context: OpContext): TermInterval {
  if (op.addend === undefined) return { lo: 0, hi: 0, bits: 0 };
  const m = context.integer(op.addend.m, -INT32_MAX, INT32_MAX, 'addend.m');
  const e = context.integer(op.addend.e, 0, 62, 'addend.e');
  const operand = context.operand(op.addend.operand, 'addend', ['u8', 'i8', 'i16', 'i32']);
  const offset = shape.length - operand.shape.length;
  const broadcast = offset >= 0 && operand.shape.every((size, axis) => size === 1 || size === shape[axis + offset]);
  if (!broadcast) {
    const given = operand.shape.join(',');
    context.fail('E_PROGRAM_SHAPE', 'addend', `an addend of [${given}] does not broadcast to [${shape.join(',')}]`);
  }
  const { lo, hi } = operand.bound;
  const term = { xLo: lo, xHi: hi, scale: m, factor: 1, perRow: false, bias: 0, k: 0, shift: e };
  const interval = termInterval(term);
  if (typeof interval === 'bigint') failReach(interval, 0, 'addend', context);
  const beyond = [interval.lo, interval.hi].find((end) => Math.abs(end) > TERM_LIMIT);
  if (beyond !== undefined) failReach(beyond, 0, 'addend', context);
  return interval;
}

function failReach(reach: bigint | number, channel: number, field: string, context: OpContext): never {
  context.fail(
    'E_PROGRAM_OVERFLOW',
    field,
    typeof reach === 'bigint'
      ? `the numerator of channel ${channel} may reach ${reach}, beyond 2^62`
      : `a rounded term may reach ${reach}, beyond 2^52`,
  );
}

export function inferRequantize(op: RequantizeOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ['u8', 'i8', 'i16', 'i32']);
  const run = runOf(op, x, context);
  const range = DTYPE_RANGE[op.to];
  context.check(op.to !== ('u8' as string), 'E_PROGRAM_DTYPE', 'to', 'requantize yields i8, i16 or i32');
  const perRow = op.row !== undefined;
  if ((op.channels !== undefined || perRow) && !run.isLastAxis) {
    context.fail('E_PROGRAM_SHAPE', 'axis', 'channels and row need the last axis alone as the run');
  }
  const channels = op.channels === undefined ? undefined : context.channels(op.channels, 'channels', run.count);
  const count = channels?.length ?? run.count;
  const m = context.param(op.m, 'm', 'i32', count, -INT32_MAX, INT32_MAX);
  const e = context.param(op.e, 'e', 'u8', count, 0, 62);
  const z = context.param(op.z, 'z', 'i32', count, DTYPE_RANGE.i32.lo, INT32_MAX);
  const shape = channels === undefined ? [...x.shape] : [...x.shape.slice(0, -1), channels.length];
  const addend = addendInterval(op, shape, context);

  let factor = 1;
  let bias: IntArray | undefined;
  let k = 0;
  if (op.row !== undefined) {
    const row = context.operand(op.row, 'row', ['u8']);
    const rows = x.shape.slice(0, -1);
    if (row.shape.length !== rows.length || row.shape.some((size, axis) => size !== rows[axis])) {
      context.fail('E_PROGRAM_SHAPE', 'row', `row is [${row.shape.join(',')}], but [${rows.join(',')}] is needed`);
    }
    const largest = reachOf(x.bound);
    if (largest * 31 > INT32_MAX)
      context.fail('E_PROGRAM_OVERFLOW', 'x', `|x|·31 may reach ${largest * 31}, beyond 2^31-1`);
    factor = rowFactor(row.bound.hi);
    if (op.bias !== undefined) bias = context.constant(op.bias, 'bias', ['i32'], [count]).data;
    k = context.integer(op.k ?? 0, 0, 62, 'k');
  } else if (op.bias !== undefined || op.k !== undefined) {
    context.fail('E_PROGRAM_PARAMETER', 'bias', 'bias and k belong to the row-dynamic form');
  }

  const known = x.channels !== undefined && run.isLastAxis ? x.channels : undefined;
  // Where nothing tells the channels apart one stands for all: a run may be as long as a broadcast view.
  const uniform = known === undefined && bias === undefined && m.length * e.length * z.length === 1;
  const distinct = uniform ? 1 : count;
  const lo = new Int32Array(distinct);
  const hi = new Int32Array(distinct);
  const xLo = known?.lo ?? Int32Array.of(x.bound.lo);
  const xHi = known?.hi ?? Int32Array.of(x.bound.hi);
  const terms: TermRun = { xLo, xHi, channels, m, e, z, bias, k, factor, perRow, addend, range };
  const bits = boundRun(terms, lo, hi);
  if (typeof bits !== 'number') failReach(bits.reach, bits.channel, 'm', context);
  const bound = { lo: minimum(lo), hi: maximum(hi) };
  const keep: { channels?: ChannelBounds } = run.isLastAxis && !uniform ? { channels: { lo, hi } } : {};
  return { type: { dtype: op.to, shape }, bound, ...keep, numeratorBits: Math.max(bits, addend.bits) };
}

export function minimum(values: Int32Array): number {
  let least = INT32_MAX;
  for (let i = 0; i < values.length; i++) if ((values[i] as number) < least) least = values[i] as number;
  return least;
}

export function maximum(values: Int32Array): number {
  let most = -INT32_MAX - 1;
  for (let i = 0; i < values.length; i++) if ((values[i] as number) > most) most = values[i] as number;
  return most;
}

/** ⌈a / b⌉ of non-negative integers below 2^53. */
function ceilDiv(a: number, b: number): number {
  return (a + b - 1 - ((a + b - 1) % b)) / b; // float-ok: the numerator is a multiple of b
}

/** Row code of the need D ≥ 16 (in sixteenths of the int8 range). */
function rowCode(need: number): number {
  let exponent = Math.max(0, 32 - Math.clz32(need) - 5);
  let f = ceilDiv(need, POW2[exponent] as number);
  if (f === 32) {
    f = 16;
    exponent += 1;
  }
  return 16 * exponent + f - 16;
}

export function inferRowscale(op: RowscaleOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ['i16']);
  context.check(x.shape.length >= 1, 'E_PROGRAM_SHAPE', 'x', 'rowscale needs a last axis');
  const count = x.shape[x.shape.length - 1] as number;
  const cp = context.param(op.cp, 'cp', 'i32', count, 7, INT32_MAX);
  const cn = context.param(op.cn, 'cn', 'i32', count, 7, INT32_MAX);
  let need = 16;
  // Under one divisor the widest channel needs most, and the bound of x is that of its channels together.
  const uniform = cp.length * cn.length === 1;
  const distinct = uniform ? 1 : count;
  for (let c = 0; c < distinct; c++) {
    const known = uniform ? undefined : x.channels;
    const hi = Math.max(0, known === undefined ? x.bound.hi : (known.hi[c] as number));
    const lo = Math.max(0, -(known === undefined ? x.bound.lo : (known.lo[c] as number)));
    need = Math.max(need, ceilDiv(16 * hi, cp[cp.length === 1 ? 0 : c] as number));
    need = Math.max(need, ceilDiv(16 * lo, cn[cn.length === 1 ? 0 : c] as number));
  }
  const shape = x.shape.slice(0, -1);
  return { type: { dtype: 'u8', shape }, bound: { lo: 0, hi: rowCode(need) } };
}

export function inferRowquantize(op: RowquantizeOp, context: OpContext): OpResult {
  const x = context.operand(op.x, 'x', ['i16']);
  context.check(x.shape.length >= 1, 'E_PROGRAM_SHAPE', 'x', 'rowquantize needs a last axis');
  const rows = x.shape.slice(0, -1);
  const row = context.operand(op.row, 'row', ['u8']);
  if (row.shape.length !== rows.length || row.shape.some((size, axis) => size !== rows[axis])) {
    context.fail('E_PROGRAM_SHAPE', 'row', `row is [${row.shape.join(',')}], but [${rows.join(',')}] is needed`);
  }
  const count = x.shape[x.shape.length - 1] as number;
  context.integer(op.z, -32768, 32767, 'z');
  const channels = op.channels === undefined ? undefined : context.channels(op.channels, 'channels', count);
  const width = channels?.length ?? count;
  if (op.slot !== undefined) context.constant(op.slot, 'slot', ['i8'], [width]);
  return { type: { dtype: 'i8', shape: [...rows, width] }, bound: DTYPE_RANGE.i8 };
}
