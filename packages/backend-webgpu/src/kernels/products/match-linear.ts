/** Which ops around a `linear` run with it as one dispatch. */
import type { LinearOp, Op } from '@ivit/program';
import type { Uses } from '../../plan/uses.js';
import type { PlanValues } from '../../plan/values.js';
import { geluBefore, normBefore, quantizeBefore, type Rows } from './match-before.js';
import { wideOps, wideStageCount } from './match-wide.js';
import { type RowView, rowsOfView, wordRows } from './rows-of-view.js';
import { inWords, lastResult, rowOf, type Scene, sameView, stagesBehind, stagesInWords, whole } from './scene.js';
import type { Stage } from './stages.js';

/** Most stages of a dispatch: what the record holds. */
export const MOST_STAGES = 4;

export interface RowCodes {
  readonly value: string;
  readonly rows: RowView;
}

export interface LinearMatch extends Omit<Rows, 'before'> {
  readonly op: LinearOp;
  /** All ops that the dispatch replaces. Run it where the last of them stands. */
  readonly ops: readonly Op[];
  readonly result: string;
  /** `codes` before a row-dynamic requantize: where the row codes are. */
  readonly codes?: RowCodes;
  /** Behind the product; of the rows that are not wide, where there are both. */
  readonly stages: readonly Stage[];
  /** Behind the concatenation of wide rows and the others. */
  readonly joined: readonly Stage[];
}

const opsOf = (stages: readonly Stage[]): readonly Op[] => stages.map((stage) => stage.op);

/** Whether the codes that stages read are those of the rows that are quantized here. */
function readsOwnCodes({ values }: Scene, { rowquantize }: Rows, stages: readonly Stage[]): boolean {
  const row = rowOf(stages);
  return (
    row === undefined || (rowquantize !== undefined && whole(values, row) && sameView(values, row, rowquantize.row))
  );
}

/** Quantized rows behind wide ones, and what follows both. */
function matchBoth(scene: Scene, op: LinearOp, columns: number): LinearMatch | undefined {
  const { values } = scene;
  const stages = stagesBehind(scene, op.result, columns, MOST_STAGES);
  const behind = [op, ...opsOf(stages)];
  const quantized = quantizeBefore(scene, op, behind, MOST_STAGES - stages.length);
  if (quantized?.wide === undefined || !readsOwnCodes(scene, quantized, stages)) return undefined;
  const { wide, before, ...rest } = quantized;
  const free = MOST_STAGES - stages.length - wideStageCount(wide);
  const following = stagesBehind(scene, wide.concat.result, columns, free);
  // Row codes behind the concatenation would be those of other rows.
  const joined = rowOf(following) === undefined ? stagesInWords(values, following, columns) : [];
  const ops = [...before, ...wideOps(wide), ...behind, wide.concat, ...opsOf(joined)];
  const result = lastResult(ops);
  return inWords(values, result, columns) ? { ...rest, wide, op, ops, result, stages, joined } : undefined;
}

/** @returns undefined where rows do not lie in whole words, or x is no value: the generic product does it */
export function matchLinear(values: PlanValues, uses: Uses, op: LinearOp): LinearMatch | undefined {
  const scene = { values, uses };
  const [columns, depth] = values.constant(op.w).shape as readonly [number, number];
  if (!('value' in op.x)) return undefined;
  const dense = whole(values, op.x);
  const both = dense ? matchBoth(scene, op, columns) : undefined;
  if (both !== undefined) return both;
  const stages = stagesInWords(values, stagesBehind(scene, op.result, columns, MOST_STAGES), columns);
  const behind = [op, ...opsOf(stages)];
  const row = rowOf(stages);
  const finish = (rows: Rows, codes?: RowCodes): LinearMatch => {
    const { before, ...rest } = rows;
    const ops = [...before, ...behind];
    return { ...rest, ...(codes && { codes }), op, ops, result: lastResult(ops), stages, joined: [] };
  };
  if (dense) {
    const quantized = quantizeBefore(scene, op, behind);
    if (quantized !== undefined && readsOwnCodes(scene, quantized, stages)) return finish(quantized);
  }
  if (depth % 4 !== 0) return undefined;
  if (dense && row === undefined) {
    const norm = normBefore(scene, op.x.value, depth, [op]);
    if (norm?.prologue === 'norm') return finish(norm);
    const gelu = geluBefore(scene, op.x.value, depth, op);
    if (gelu !== undefined) return finish(gelu);
  }
  const rows = wordRows(values.viewOf(op.x), depth, 4);
  if (rows === undefined) return undefined;
  const plain: Rows = { prologue: 'codes', x: { value: op.x.value, rows }, before: [] };
  if (row === undefined) return finish(plain);
  const codes = rowsOfView(values.viewOf(row), 1);
  if (codes === undefined || !('value' in row)) return undefined;
  return finish(plain, { value: row.value, rows: codes });
}
