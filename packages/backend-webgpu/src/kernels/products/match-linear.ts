/** Which ops around a `linear` run with it as one dispatch. */

import {
  isDense,
  type LayernormOp,
  type LinearOp,
  type Op,
  type Operand,
  type RequantizeOp,
  type RowquantizeOp,
  type RowscaleOp,
  type ShiftgeluOp,
} from '@ivit/program';
import { type DType, elementCount } from '@ivit/tensor';
import type { Uses } from '../../plan/uses.js';
import type { PlanValues } from '../../plan/values.js';
import { isNorm, type PrologueKind } from './prologue.wgsl.js';
import { type RowView, rowsOfView, wordRows } from './rows-of-view.js';
import { parameterData, type Stage, stageOf } from './stages.js';

/** Most stages behind a product: what the record holds. */
export const MOST_STAGES = 4;
/** Bytes of workgroup memory for rows; the rest of 16 KiB is for row codes and sums. */
const TILE_BYTES = 14336;

export interface RowCodes {
  readonly value: string;
  readonly rows: RowView;
}

export interface LinearMatch {
  readonly op: LinearOp;
  /** All ops that the dispatch replaces. Run it where the last of them stands. */
  readonly ops: readonly Op[];
  readonly result: string;
  /** What it reads: i8 rows (`codes`, `gelu`) or i16 rows. */
  readonly x: { readonly value: string; readonly rows: RowView };
  readonly prologue: PrologueKind;
  /** `codes` before a row-dynamic requantize: where the row codes are. */
  readonly codes?: RowCodes;
  readonly rowscale?: RowscaleOp;
  readonly rowquantize?: RowquantizeOp;
  readonly layernorm?: LayernormOp;
  readonly shiftgelu?: ShiftgeluOp;
  /** Behind the layer norm or shiftgelu. */
  readonly scaling?: RequantizeOp;
  readonly stages: readonly Stage[];
}

/** Rows of a workgroup, or undefined where rows are too long for its memory. */
export function rowsOfGroup(kind: PrologueKind, depth: number): 4 | 8 | undefined {
  if (!isNorm(kind) || depth * 2 * 8 <= TILE_BYTES) return 8;
  return depth * 2 * 4 <= TILE_BYTES ? 4 : undefined;
}

interface Scene {
  readonly values: PlanValues;
  readonly uses: Uses;
}

const whole = (values: PlanValues, operand: Operand): operand is { readonly value: string } => {
  return 'value' in operand && isDense(values.viewOf(operand), elementCount(values.type(operand.value).shape));
};

const same = (values: PlanValues, a: Operand, b: Operand): boolean => {
  if (!('value' in a) || !('value' in b) || a.value !== b.value) return false;
  return JSON.stringify(values.viewOf(a)) === JSON.stringify(values.viewOf(b));
};

/** The ops that may follow, as far as each is the only reader of the one before. */
function stagesBehind({ values, uses }: Scene, first: string, columns: number): readonly Stage[] {
  const stages: Stage[] = [];
  let value = first;
  let codes: string | undefined;
  for (;;) {
    const next = uses.onlyReader(value);
    const stage =
      next === undefined || stages.length === MOST_STAGES ? undefined : stageOf(values, next, value, columns);
    if (stage === undefined) break;
    if ('inner' in stage && stage.op.row !== undefined) {
      const { row } = stage.op;
      if (!('value' in row) || (codes !== undefined && JSON.stringify(row) !== codes)) break;
      codes = JSON.stringify(row);
    }
    stages.push(stage);
    value = stage.op.result;
  }
  // Results are written in whole words: rows of 8-bit results are a multiple of 4 long, of 16-bit ones of 2.
  const perWord = { u8: 4, i8: 4, i16: 2, i32: 1 };
  while (stages.length > 0) {
    const last = stages[stages.length - 1] as Stage;
    if (columns % perWord[values.type(last.op.result).dtype] === 0) break;
    stages.pop();
  }
  return stages;
}

const rowOf = (stages: readonly Stage[]): Operand | undefined => {
  for (const stage of stages) if ('inner' in stage && stage.op.row !== undefined) return stage.op.row;
  return undefined;
};

type Rows = Pick<LinearMatch, 'x' | 'prologue' | 'rowscale' | 'rowquantize' | 'layernorm' | 'shiftgelu' | 'scaling'> & {
  readonly before: readonly Op[];
};

/** The plain requantize of whole rows that makes `value`; `readers` are all that may read it. */
function scalingOf(
  { values, uses }: Scene,
  value: string,
  depth: number,
  readers: readonly Op[],
): RequantizeOp | undefined {
  const op = uses.maker(value);
  if (op?.op !== 'requantize' || !uses.within(value, readers)) return undefined;
  if (op.row !== undefined || op.addend !== undefined || op.channels !== undefined) return undefined;
  const shared = [op.m, op.e, op.z].every((param) => parameterData(values, param).length === 1);
  const { shape } = values.viewOf(op.x);
  if (!shared && (op.run !== 1 || op.axis !== shape.length - 1 || shape[op.axis] !== depth)) return undefined;
  return op;
}

/** Rows of `depth` of a value of a type, `unit` elements to a word. */
function rowsBefore(
  values: PlanValues,
  source: Operand,
  type: DType,
  depth: number,
  unit: number,
): LinearMatch['x'] | undefined {
  if (!('value' in source) || values.typeOf(source) !== type) return undefined;
  const view = values.viewOf(source);
  const rows = view.shape[view.shape.length - 1] === depth ? wordRows(view, depth, unit) : undefined;
  return rows === undefined ? undefined : { value: source.value, rows };
}

/** layernorm → requantize of whole rows, whose result is `value`. */
function normBefore(scene: Scene, value: string, depth: number, readers: readonly Op[]): Rows | undefined {
  const { values, uses } = scene;
  const scaling = scalingOf(scene, value, depth, readers);
  if (scaling === undefined || !whole(values, scaling.x)) return undefined;
  const layernorm = uses.maker(scaling.x.value);
  if (layernorm?.op !== 'layernorm' || uses.onlyReader(layernorm.result) !== scaling) return undefined;
  const x = rowsBefore(values, layernorm.x, 'i16', depth, 2);
  const prologue = scaling.to === 'i8' ? 'norm' : 'norm-quantize';
  if (x === undefined || rowsOfGroup(prologue, depth) === undefined) return undefined;
  return { prologue, x, layernorm, scaling, before: [layernorm, scaling] };
}

/** shiftgelu → requantize to i8 of whole rows, whose result is `value`. */
function geluBefore(scene: Scene, value: string, depth: number, reader: Op): Rows | undefined {
  const { values, uses } = scene;
  const scaling = scalingOf(scene, value, depth, [reader]);
  if (scaling?.to !== 'i8' || !whole(values, scaling.x)) return undefined;
  const shiftgelu = uses.maker(scaling.x.value);
  if (shiftgelu?.op !== 'shiftgelu' || uses.onlyReader(shiftgelu.result) !== scaling) return undefined;
  const x = rowsBefore(values, shiftgelu.x, 'i8', depth, 4);
  return x === undefined ? undefined : { prologue: 'gelu', x, shiftgelu, scaling, before: [shiftgelu, scaling] };
}

/** rowscale + rowquantize, and a norm before them where it has no other reader. */
function quantizeBefore(scene: Scene, value: string, depth: number, readers: readonly Op[]): Rows | undefined {
  const { values, uses } = scene;
  const rowquantize = uses.maker(value);
  if (rowquantize?.op !== 'rowquantize' || !uses.within(value, readers.slice(0, 1))) return undefined;
  if (rowquantize.channels !== undefined || rowquantize.slot !== undefined) return undefined;
  const { x, row } = rowquantize;
  if (!('value' in x) || !whole(values, row)) return undefined;
  const rowscale = uses.maker(row.value);
  if (rowscale?.op !== 'rowscale' || !same(values, rowscale.x, x)) return undefined;
  if (!uses.within(row.value, [rowquantize, ...readers])) return undefined;
  if ([rowscale.cp, rowscale.cn].some((param) => parameterData(values, param).length !== 1)) return undefined;
  const found = rowsBefore(values, x, 'i16', depth, 2);
  const own = { rowscale, rowquantize };
  const norm = whole(values, x) ? normBefore(scene, x.value, depth, [rowscale, rowquantize]) : undefined;
  if (norm?.prologue === 'norm-quantize') return { ...norm, ...own, before: [...norm.before, rowscale, rowquantize] };
  return found === undefined ? undefined : { prologue: 'quantize', x: found, ...own, before: [rowscale, rowquantize] };
}

/** @returns undefined where rows do not lie in whole words, or x is no value: the generic product does it */
export function matchLinear(values: PlanValues, uses: Uses, op: LinearOp): LinearMatch | undefined {
  const scene = { values, uses };
  const [columns, depth] = values.constant(op.w).shape as readonly [number, number];
  const view = values.viewOf(op.x);
  if (!('value' in op.x) || depth % 4 !== 0) return undefined;
  const stages = stagesBehind(scene, op.result, columns);
  const behind = [op, ...stages.map((stage) => stage.op)];
  const result = (behind[behind.length - 1] as Op).result;
  const row = rowOf(stages);
  const finish = (rows: Rows, codes?: RowCodes): LinearMatch => {
    const { before, ...rest } = rows;
    return { ...rest, ...(codes === undefined ? {} : { codes }), op, ops: [...before, ...behind], result, stages };
  };
  if (whole(values, op.x)) {
    const quantized = quantizeBefore(scene, op.x.value, depth, behind);
    const own = quantized?.rowquantize?.row;
    if (quantized !== undefined && own !== undefined) {
      // The codes that a stage reads are those of these very rows.
      if (row === undefined || (whole(values, row) && same(values, row, own))) return finish(quantized);
    }
    const norm = row === undefined ? normBefore(scene, op.x.value, depth, [op]) : undefined;
    if (norm?.prologue === 'norm') return finish(norm);
    const gelu = row === undefined ? geluBefore(scene, op.x.value, depth, op) : undefined;
    if (gelu !== undefined) return finish(gelu);
  }
  const rows = wordRows(view, depth, 4);
  if (rows === undefined) return undefined;
  const plain: Rows = { prologue: 'codes', x: { value: op.x.value, rows }, before: [] };
  if (row === undefined) return finish(plain);
  const codes = rowsOfView(values.viewOf(row), 1);
  if (codes === undefined || !('value' in row)) return undefined;
  return finish(plain, { value: row.value, rows: codes });
}
