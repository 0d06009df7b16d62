import { POW2 } from '@ivit/dyadic';
import { DTYPE_RANGE, INT32_MAX } from '../dtype.js';
import type { Interval, RequantizeOp, RowquantizeOp, RowscaleOp } from '../types.js';
import { type ChannelBounds, type OpContext, type OperandInfo, type OpResult, reachOf } from './context.js';

/** The largest exact integer of the format's 64-bit intermediate: 2^62. */
const NUMERATOR_LIMIT = 1n << 62n;
/** A rounded term above this could lose units where a backend adds in f64 (docs/spec, requantize). */
const TERM_LIMIT = 2 ** 52;

/** rne(p / 2^e) over the integers; convert-and-check time only. */
function rne(p: bigint, e: number): bigint {
  if (e === 0) return p;
  const shift = BigInt(e);
  return (p + (1n << (shift - 1n)) - 1n + ((p >> shift) & 1n)) >> shift;
}

function bitLength(n: bigint): number {
  return n === 0n ? 0 : n.toString(2).length;
}

const magnitude = (n: bigint): bigint => (n < 0n ? -n : n);
const larger = (a: bigint, b: bigint): bigint => [a, b][Number(a < b)] as bigint;
const smaller = (a: bigint, b: bigint): bigint => [a, b][Number(a > b)] as bigint;

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

/** Interval of rne(a·m/2^e) of an addend, and the largest |a·m|. */
function addendInterval(
  op: RequantizeOp,
  shape: readonly number[],
  context: OpContext,
): readonly [bigint, bigint, bigint] {
  if (op.addend === undefined) return [0n, 0n, 0n];
  const m = context.integer(op.addend.m, -INT32_MAX, INT32_MAX, 'addend.m');
  const e = context.integer(op.addend.e, 0, 62, 'addend.e');
  const operand = context.operand(op.addend.operand, 'addend', ['u8', 'i8', 'i16', 'i32']);
  const offset = shape.length - operand.shape.length;
  const broadcast = offset >= 0 && operand.shape.every((size, axis) => size === 1 || size === shape[axis + offset]);
  if (!broadcast) {
    const given = operand.shape.join(',');
    context.fail('E_PROGRAM_SHAPE', 'addend', `an addend of [${given}] does not broadcast to [${shape.join(',')}]`);
  }
  const ends = [BigInt(operand.bound.lo) * BigInt(m), BigInt(operand.bound.hi) * BigInt(m)];
  return [rne(ends.reduce(smaller), e), rne(ends.reduce(larger), e), ends.map(magnitude).reduce(larger)];
}

function checkTerm(value: bigint, field: string, context: OpContext): number {
  const term = Number(value);
  if (Math.abs(term) > TERM_LIMIT) {
    context.fail('E_PROGRAM_OVERFLOW', field, `a rounded term may reach ${term}, beyond 2^52`);
  }
  return term;
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
  const [addLo, addHi, addWide] = addendInterval(op, shape, context);
  checkTerm(addLo, 'addend', context);
  checkTerm(addHi, 'addend', context);

  let factor = 1n;
  let bias: ArrayLike<number> | undefined;
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
    factor = BigInt(rowFactor(row.bound.hi));
    if (op.bias !== undefined) bias = context.constant(op.bias, 'bias', ['i32'], [count]).data;
    k = context.integer(op.k ?? 0, 0, 62, 'k');
  } else if (op.bias !== undefined || op.k !== undefined) {
    context.fail('E_PROGRAM_PARAMETER', 'bias', 'bias and k belong to the row-dynamic form');
  }

  const known = x.channels !== undefined && run.isLastAxis ? x.channels : undefined;
  const lo: number[] = [];
  const hi: number[] = [];
  let widest = addWide;
  // Where nothing tells the channels apart one stands for all: a run may be as long as a broadcast view.
  const uniform = known === undefined && bias === undefined && m.length * e.length * z.length === 1;
  const distinct = uniform ? 1 : count;
  for (let j = 0; j < distinct; j++) {
    const source = channels === undefined ? j : (channels[j] as number);
    const xLo = BigInt(known === undefined ? x.bound.lo : (known.lo[source] as number));
    const xHi = BigInt(known === undefined ? x.bound.hi : (known.hi[source] as number));
    const scale = BigInt(m[m.length === 1 ? 0 : j] as number);
    const shift = e[e.length === 1 ? 0 : j] as number;
    const offset = z[z.length === 1 ? 0 : j] as number;
    const extra = bias === undefined ? 0n : BigInt(bias[j] as number) << BigInt(k);
    // The largest factor gives the widest numerator of either sign; the smallest (16) only matters where signs keep x from 0.
    const ends = [xLo * scale * factor, xHi * scale * factor];
    if (perRow) ends.push(xLo * scale * 16n, xHi * scale * 16n);
    const first = ends.reduce(smaller) + extra;
    const last = ends.reduce(larger) + extra;
    const wide = ends.map(magnitude).reduce(larger) + magnitude(extra);
    if (wide >= NUMERATOR_LIMIT) {
      context.fail('E_PROGRAM_OVERFLOW', 'm', `the numerator of channel ${j} may reach ${wide}, beyond 2^62`);
    }
    widest = larger(wide, widest);
    const yLo = checkTerm(rne(first, shift), 'm', context) + Number(addLo) + offset;
    const yHi = checkTerm(rne(last, shift), 'm', context) + Number(addHi) + offset;
    lo.push(clamp(yLo, range));
    hi.push(clamp(yHi, range));
  }
  const bound = { lo: minimum(lo), hi: maximum(hi) };
  const keep: { channels?: ChannelBounds } = run.isLastAxis && !uniform ? { channels: { lo, hi } } : {};
  return { type: { dtype: op.to, shape }, bound, ...keep, numeratorBits: bitLength(widest) };
}

function clamp(n: number, range: Interval): number {
  return Math.min(Math.max(n, range.lo), range.hi);
}

/** Minimum of a long array (spreading one into Math.min overflows the stack). */
export function minimum(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

export function maximum(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
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
  const uniform = x.channels === undefined && cp.length * cn.length === 1;
  const distinct = uniform ? 1 : count;
  for (let c = 0; c < distinct; c++) {
    const hi = Math.max(0, x.channels === undefined ? x.bound.hi : (x.channels.hi[c] as number));
    const lo = Math.max(0, -(x.channels === undefined ? x.bound.lo : (x.channels.lo[c] as number)));
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
