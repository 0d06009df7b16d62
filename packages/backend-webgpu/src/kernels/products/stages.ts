/** What is done to a sum of products before it is stored: the ops behind it. */
import { POW2 } from '@ivit/dyadic';
import {
  DTYPE_RANGE,
  isDense,
  type LookupOp,
  type Op,
  type Operand,
  type Param,
  type RamplookupOp,
  type RequantizeOp,
} from '@ivit/program';
import { broadcastView, type DType, elementCount } from '@ivit/tensor';
import { imageWords, TYPE_CODE } from '../../layout.js';
import type { Draft } from '../../plan/draft.js';
import type { PlanValues } from '../../plan/values.js';
import { type RowView, rowsOfView } from './rows-of-view.js';

/** Words of a stage in the record; `stages.wgsl.ts` has the same places. */
export const STAGE_WORDS = 24;

export interface RequantizeStage {
  readonly op: RequantizeOp;
  /** Its sums fit an i32: see `isNarrow`. */
  readonly narrow: boolean;
  /** Channel = ⌊column / inner⌋. */
  readonly inner: number;
  readonly addend?: RowView;
}

export type Stage = RequantizeStage | { readonly op: LookupOp } | { readonly op: RamplookupOp };

/** What of a stage is in a shader's text; equal forms share a pipeline. */
export type StageForm =
  | {
      readonly kind: 'requantize';
      readonly grouped: boolean;
      readonly row: boolean;
      readonly addend: boolean;
      readonly narrow: boolean;
    }
  | { readonly kind: 'lookup' }
  | { readonly kind: 'ramplookup' };

export function formOf(stage: Stage): StageForm {
  if (!('inner' in stage)) return { kind: stage.op.op };
  const { op, inner, addend, narrow } = stage;
  return { kind: 'requantize', grouped: inner !== 1, row: op.row !== undefined, addend: addend !== undefined, narrow };
}

/** Entries of a parameter. */
export function parameterData(values: PlanValues, param: Param): ArrayLike<number> {
  return typeof param === 'number' ? [param] : values.constant(param.constant).data;
}

/** log2 of what each of two terms and z may reach for an i32 to hold their sum. */
const NARROW_BITS = 29;

/** Whether all shifts of a requantization are 1 … 32 and its terms and z stay within 2^29, as the validator's bounds tell. */
export function isNarrow(values: PlanValues, op: RequantizeOp): boolean {
  const shifts = Array.from(parameterData(values, op.e));
  if (op.addend !== undefined) shifts.push(op.addend.e);
  const bits = values.program.facts.numeratorBits[op.result];
  if (bits === undefined || shifts.some((e) => e < 1 || e > 32 || bits - e > NARROW_BITS)) return false;
  return Array.from(parameterData(values, op.z)).every((z) => Math.abs(z) <= (POW2[NARROW_BITS] as number));
}

/** The stage that a requantize of rows of so many columns is. */
export function requantizeStage(values: PlanValues, op: RequantizeOp, columns: number): RequantizeStage | undefined {
  if (op.channels !== undefined) return undefined;
  const { shape } = values.viewOf(op.x);
  const shared = [op.m, op.e, op.z].every((param) => parameterData(values, param).length === 1);
  const inner = elementCount(shape.slice(op.axis + op.run));
  const own = op.bias === undefined && shared;
  if (!own && elementCount(shape.slice(op.axis, op.axis + op.run)) * inner !== columns) return undefined;
  if (op.row !== undefined && shape[shape.length - 1] !== columns) return undefined;
  const stage = { op, inner: own ? 1 : inner, narrow: isNarrow(values, op) };
  if (op.addend === undefined) return stage;
  const view = broadcastView(values.viewOf(op.addend.operand), values.type(op.result).shape);
  const addend = rowsOfView(view, columns);
  return addend === undefined ? undefined : { ...stage, addend };
}

/** The stage that an op is to rows of so many columns, or undefined. @param value what it must read as its x, whole */
export function stageOf(values: PlanValues, op: Op, value: string, columns: number): Stage | undefined {
  if (op.op !== 'requantize' && op.op !== 'lookup' && op.op !== 'ramplookup') return undefined;
  if (!('value' in op.x) || op.x.value !== value) return undefined;
  const view = values.viewOf(op.x);
  if (!isDense(view, elementCount(values.type(value).shape))) return undefined;
  if (op.op === 'requantize') return requantizeStage(values, op, columns);
  if (op.op === 'ramplookup') return { op };
  const byChannel = values.constant(op.table).shape.length === 2;
  return byChannel && view.shape[view.shape.length - 1] !== columns ? undefined : { op };
}

/** Whether it is one for each channel, and its value or the place of its entries. */
export function writeParameter(draft: Draft, values: PlanValues, word: number, param: Param): void {
  const data = parameterData(values, param);
  if (data.length === 1) draft.set(word + 1, data[0] as number);
  else draft.set(word, 1).int32(word + 1, (param as { constant: string }).constant, data);
}

/** Where an operand lies: space, first word, words from image to image, type. */
export function writePlace(draft: Draft, values: PlanValues, word: number, operand: Operand): void {
  const dtype: DType = values.typeOf(operand);
  if ('value' in operand) {
    draft.value(operand.value, word + 1);
    draft.set(word + 2, imageWords(dtype, values.type(operand.value).shape));
  } else {
    draft.set(word, 1).packed(word + 1, operand.constant, values.constant(operand.constant).data);
  }
  draft.set(word + 3, TYPE_CODE[dtype]);
}

/** Writes a stage's words from `at` on. */
export function writeStage(draft: Draft, values: PlanValues, at: number, stage: Stage): void {
  if (!('inner' in stage)) {
    const { op } = stage;
    const { shape, data } = values.constant(op.table);
    writePlace(draft, values, at, { constant: op.table });
    if (op.op === 'lookup') draft.set(at + 4, shape.length === 2 ? 256 : 0);
    else draft.set(at + 4, data.length).set(at + 5, op.u);
    return;
  }
  const { op, inner, addend } = stage;
  for (const [i, param] of [op.m, op.e, op.z].entries()) writeParameter(draft, values, at + 2 * i, param);
  const { lo, hi } = DTYPE_RANGE[op.to];
  draft
    .set(at + 6, inner)
    .set(at + 7, lo)
    .set(at + 8, hi);
  writeParameter(draft, values, at + 9, op.bias === undefined ? 0 : { constant: op.bias });
  draft.set(at + 11, op.k ?? 0);
  if (op.addend === undefined || addend === undefined) return;
  draft.set(at + 12, op.addend.m).set(at + 13, op.addend.e);
  writePlace(draft, values, at + 14, op.addend.operand);
  draft
    .set(at + 18, addend.offset)
    .set(at + 19, addend.rowStride)
    .set(at + 20, addend.columnStride);
}
