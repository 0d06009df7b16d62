/** What matchers of linear layers ask of a program. */
import { isDense, type Op, type Operand, type RequantizeOp } from '@ivit/program';
import { type DType, elementCount } from '@ivit/tensor';
import type { Uses } from '../../plan/uses.js';
import type { PlanValues } from '../../plan/values.js';
import { parameterData, type Stage, stageOf } from './stages.js';

export interface Scene {
  readonly values: PlanValues;
  readonly uses: Uses;
}

/** Whether an operand is a value from its first to its last element. */
export function whole(values: PlanValues, operand: Operand): operand is { readonly value: string } {
  return 'value' in operand && isDense(values.viewOf(operand), elementCount(values.type(operand.value).shape));
}

/** Whether both are one view of one value. */
export function sameView(values: PlanValues, a: Operand, b: Operand): boolean {
  if (!('value' in a) || !('value' in b) || a.value !== b.value) return false;
  return JSON.stringify(values.viewOf(a)) === JSON.stringify(values.viewOf(b));
}

/** Whether a requantize knows no rows, addends or source channels: what may stand before a product. */
export function isPlain(op: RequantizeOp): boolean {
  return op.row === undefined && op.addend === undefined && op.channels === undefined;
}

/** Whether it scales all elements alike. */
export function isShared(values: PlanValues, { m, e, z }: RequantizeOp): boolean {
  return [m, e, z].every((param) => parameterData(values, param).length === 1);
}

/**
 * The ops that may follow rows of so many columns, as far as each is the only reader of the one before; `most` at most.
 *
 * @param beside a reader of `first` that is none of them
 */
export function stagesBehind(
  scene: Scene,
  first: string,
  columns: number,
  most: number,
  beside?: Op,
): readonly Stage[] {
  const { values, uses } = scene;
  const stages: Stage[] = [];
  let value = first;
  let codes: string | undefined;
  for (;;) {
    const next = uses.onlyReader(value, beside);
    const stage = next === undefined || stages.length === most ? undefined : stageOf(values, next, value, columns);
    if (stage === undefined) break;
    if ('inner' in stage && stage.op.row !== undefined) {
      const { row } = stage.op;
      if (!('value' in row) || (codes !== undefined && JSON.stringify(row) !== codes)) break;
      codes = JSON.stringify(row);
    }
    stages.push(stage);
    value = stage.op.result;
  }
  return stages;
}

const PER_WORD: Readonly<Record<DType, number>> = { u8: 4, i8: 4, i16: 2, i32: 1 };

/** Whether rows of so many columns are whole words: results are written in these. */
export function inWords(values: PlanValues, value: string, columns: number): boolean {
  return columns % PER_WORD[values.type(value).dtype] === 0;
}

/** Stages without the last ones whose rows are no whole words. */
export function stagesInWords(values: PlanValues, stages: readonly Stage[], columns: number): readonly Stage[] {
  let count = stages.length;
  while (count > 0 && !inWords(values, (stages[count - 1] as Stage).op.result, columns)) count--;
  return stages.slice(0, count);
}

/** The row codes that a stage reads. */
export function rowOf(stages: readonly Stage[]): Operand | undefined {
  for (const stage of stages) if ('inner' in stage && stage.op.row !== undefined) return stage.op.row;
  return undefined;
}

/** The result of the last op. */
export function lastResult(ops: readonly Op[]): string {
  return (ops[ops.length - 1] as Op).result;
}
