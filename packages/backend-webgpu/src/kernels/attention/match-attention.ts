/** Which ops from q·kᵀ to the requantized P·v run as one dispatch. */
import { isDense, type MatmulOp, type Op, type Operand, type RequantizeOp, type SoftmaxOp } from '@ivit/program';
import { broadcastView, denseStrides, elementCount, type View } from '@ivit/tensor';
import type { Uses } from '../../plan/uses.js';
import type { PlanValues } from '../../plan/values.js';
import { memoryBytes } from './attention.wgsl.js';

/** Most requantizations of the logits: what the record holds beside the result's. */
export const MOST_LOGIT_STAGES = 3;
/** Bytes of workgroup memory under default limits, less what rounding each variable up may take. */
const MEMORY_BYTES = 16384 - 64;
/** Words of a head that 64 invocations cover. */
const MOST_DEPTH_WORDS = 64;

/** One number for each of the axes (outer group, group, row, column). */
export type Four = readonly [number, number, number, number];

/** A requantization of elements that four indices name. */
export interface FourStage {
  readonly op: RequantizeOp;
  /** channel = Σ index·step. */
  readonly channel: Four;
  readonly addend?: { readonly offset: number; readonly strides: Four };
}

/** Rows of i8, or of i16 queries, in whole words: an operand and its strides in elements. */
export interface FourOperand {
  readonly value: string;
  readonly offset: number;
  /** Outer group, group, row (query or key). */
  readonly strides: readonly [number, number, number];
}

export interface AttentionMatch {
  readonly ops: readonly Op[];
  readonly result: string;
  readonly softmax: SoftmaxOp;
  readonly groups: readonly [number, number];
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly rows: 4 | 8;
  readonly q: FourOperand;
  readonly k: FourOperand;
  readonly v: FourOperand;
  readonly logits: readonly FourStage[];
  readonly out: FourStage | undefined;
  /** Element of the result: outer group, group, row; columns follow each other. */
  readonly resultStrides: readonly [number, number, number];
}

/** Entries of the last four axes, `fill` before the first. */
function four(entries: readonly number[], fill: number): Four | undefined {
  if (entries.length < 2 || entries.length > 4) return undefined;
  const padded = [...new Array<number>(4 - entries.length).fill(fill), ...entries];
  return padded as unknown as Four;
}

function operand(
  values: PlanValues,
  source: Operand,
  rowAxis: 2 | 3,
  type: 'i8' | 'i16' = 'i8',
): FourOperand | undefined {
  if (!('value' in source) || values.typeOf(source) !== type) return undefined;
  const unit = type === 'i8' ? 4 : 2;
  const view = values.viewOf(source);
  const shape = four(view.shape, 1);
  const strides = four(view.strides, 0);
  if (shape === undefined || strides === undefined || view.offset % unit !== 0) return undefined;
  const columnAxis = rowAxis === 2 ? 3 : 2;
  if (strides[columnAxis] !== 1) return undefined;
  const own = [0, 1, rowAxis].map((axis) => (shape[axis] === 1 ? 0 : (strides[axis] as number)));
  if (own.some((stride) => stride % unit !== 0)) return undefined;
  return { value: source.value, offset: view.offset, strides: own as unknown as readonly [number, number, number] };
}

/**
 * Steps of a requantization's channel over the axes of its x, which a view may have exchanged.
 *
 * @param axes for each of the four axes the axis of the view, -1 for axes of size 1
 */
function fourStage(values: PlanValues, op: RequantizeOp, axes: readonly number[]): FourStage | undefined {
  if (op.row !== undefined || op.channels !== undefined) return undefined;
  const { shape } = values.viewOf(op.x);
  const step = (axis: number): number => {
    const last = op.axis + op.run;
    return axis < op.axis || axis >= last ? 0 : elementCount(shape.slice(axis + 1, last));
  };
  const channel = axes.map(step) as unknown as Four;
  if (op.addend === undefined) return { op, channel };
  const { offset, strides } = broadcastView(values.viewOf(op.addend.operand), values.type(op.result).shape);
  const own = axes.map((axis) => (axis < 0 ? 0 : (strides[axis] as number))) as unknown as Four;
  return { op, channel, addend: { offset, strides: own } };
}

/** For each of the four axes of a dense tensor, the axis of a view that walks it. */
function axesOf(sizes: Four, view: View): readonly number[] | undefined {
  const dense = denseStrides(sizes);
  const axes = sizes.map((size, axis) => {
    if (size === 1) return -1;
    const found = view.shape.findIndex((own, i) => own === size && view.strides[i] === dense[axis]);
    return found < 0 ? undefined : found;
  });
  if (view.offset !== 0 || elementCount(view.shape) !== elementCount(sizes) || axes.includes(undefined))
    return undefined;
  return axes as readonly number[];
}

function whole(values: PlanValues, source: Operand): source is { readonly value: string } {
  return 'value' in source && isDense(values.viewOf(source), elementCount(values.type(source.value).shape));
}

/** The requantizations between q·kᵀ and softmax, first one first, and the product. */
function logitsBefore(values: PlanValues, uses: Uses, softmax: SoftmaxOp): readonly Op[] | undefined {
  const ops: Op[] = [];
  let reader: Op = softmax;
  for (let x: Operand = softmax.x; ; ) {
    if (!whole(values, x) || uses.onlyReader(x.value) !== reader) return undefined;
    const maker = uses.maker(x.value);
    if (maker?.op === 'matmul') return [maker, ...ops];
    if (maker?.op !== 'requantize' || ops.length === MOST_LOGIT_STAGES) return undefined;
    ops.unshift(maker);
    reader = maker;
    x = maker.x;
  }
}

/** What follows P·v: its requantization, where that lets columns follow each other in whole words. */
function outBehind(
  values: PlanValues,
  uses: Uses,
  product: MatmulOp,
  sizes: Four,
): Pick<AttentionMatch, 'out' | 'resultStrides'> {
  const [outerStride = 0, groupStride = 0, rowStride = 0] = denseStrides(sizes);
  const sums = { out: undefined, resultStrides: [outerStride, groupStride, rowStride] as const };
  const op = uses.onlyReader(product.result);
  if (op?.op !== 'requantize' || !('value' in op.x) || op.x.value !== product.result) return sums;
  const view = values.viewOf(op.x);
  const axes = axesOf(sizes, view);
  const stage = axes === undefined ? undefined : fourStage(values, op, axes);
  if (axes === undefined || stage === undefined) return sums;
  const dense = denseStrides(values.type(op.result).shape);
  const strides = axes.map((axis) => (axis < 0 ? 0 : (dense[axis] as number)));
  const [outer = 0, group = 0, row = 0, column = 0] = strides;
  if (column !== 1 || [outer, group, row].some((stride) => stride % 4 !== 0)) return sums;
  return { out: stage, resultStrides: [outer, group, row] };
}

/**
 * @param type of the queries
 * @returns undefined where the ops stay apart: log2 codes, keys or heads beyond workgroup memory, or rows not in whole words
 */
export function matchAttention(
  values: PlanValues,
  uses: Uses,
  softmax: SoftmaxOp,
  type: 'i8' | 'i16' = 'i8',
): AttentionMatch | undefined {
  if (softmax.log2 !== undefined) return undefined;
  const before = logitsBefore(values, uses, softmax);
  const [first, ...scaling] = before ?? [];
  if (first?.op !== 'matmul' || first.log2 !== undefined || scaling.length === 0) return undefined;
  const product = uses.onlyReader(softmax.result);
  if (product?.op !== 'matmul' || !whole(values, product.a) || product.a.value !== softmax.result) return undefined;
  const sizes = four(values.type(first.result).shape, 1);
  const mixed = four(values.type(product.result).shape, 1);
  if (sizes === undefined || mixed === undefined) return undefined;
  const [outer, inner, queries, keys] = sizes;
  if (values.viewOf(softmax.x).shape.at(-1) !== keys) return undefined;
  if (four(values.viewOf(product.a).shape, 1)?.join() !== sizes.join()) return undefined;
  const depth = mixed[3];
  if (mixed[0] !== outer || mixed[1] !== inner || mixed[2] !== queries || depth % 4 !== 0) return undefined;
  if (values.viewOf(first.a).shape.at(-1) !== depth || depth > 4 * MOST_DEPTH_WORDS) return undefined;
  const quads = (keys + 3) >> 2;
  const rows = ([8, 4] as const).find((count) => {
    return memoryBytes({ rows: count, quads, depthWords: depth >> 2 }) <= MEMORY_BYTES;
  });
  const q = operand(values, first.a, 2, type);
  const k = operand(values, first.b, 3);
  const v = operand(values, product.b, 2);
  const same = [0, 1, 2, 3];
  const logits = scaling.map((op) => {
    if (op.op !== 'requantize' || op.to === 'i32') return undefined;
    const shape = four(values.viewOf(op.x).shape, 1);
    if (shape?.join() !== sizes.join()) return undefined;
    const rank = values.viewOf(op.x).shape.length;
    return fourStage(
      values,
      op,
      same.map((axis) => axis - (4 - rank)).map((axis) => Math.max(axis, -1)),
    );
  });
  const stages = logits.filter((stage) => stage !== undefined);
  if (rows === undefined || q === undefined || k === undefined || v === undefined) return undefined;
  if (stages.length !== logits.length) return undefined;
  const behind = outBehind(values, uses, product, mixed);
  const last = behind.out?.op;
  return {
    ops: [...(before ?? []), softmax, product, ...(last === undefined ? [] : [last])],
    result: last?.result ?? product.result,
    softmax,
    groups: [outer, inner],
    queries,
    keys,
    depth,
    rows,
    q,
    k,
    v,
    logits: stages,
    ...behind,
  };
}
