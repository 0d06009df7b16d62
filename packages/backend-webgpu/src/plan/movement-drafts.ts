import type { ConcatOp, GatherOp, LookupOp, MeanOp, Operand, RamplookupOp } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { ELEMENT_GROUP } from '../kernels/common/element-kernel.wgsl.js';
import { SLOTS } from '../kernels/common/record-words.js';
import * as L from '../kernels/lookup/lookup.wgsl.js';
import { MEAN_INNER, MEAN_SIZE, meanCode } from '../kernels/movement/mean.wgsl.js';
import * as M from '../kernels/movement/movement.wgsl.js';
import { TYPE_CODE } from '../layout.js';
import { Draft } from './draft.js';
import { elementDraft, type Source } from './source.js';

export function gatherDraft(source: Source, op: GatherOp): Draft {
  const { data } = source.values.constant(op.rows);
  return elementDraft(source, M.gatherCode, op)
    .operand(0, op.x)
    .int32(M.GATHER_ROWS, op.rows, data)
    .set(M.GATHER_WIDTH, op.width);
}

function joinDraft(source: Source, operands: readonly Operand[], result: string, needed: number): Draft {
  const draft = new Draft(source.values, M.concatCode, result, needed);
  let start = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    const operand = operands[slot];
    if (slot > 0) draft.set(M.CONCAT_STARTS + slot - 1, operand === undefined ? 0x7fffffff : start);
    if (operand === undefined) continue;
    draft.operand(slot, operand);
    start += elementCount(source.values.viewOf(operand).shape);
  }
  return draft.groups((draft.words + ELEMENT_GROUP - 1) >>> 6);
}

/** As many dispatches as four operands each need. */
export function concatDrafts(source: Source, op: ConcatOp): readonly Draft[] {
  const { values } = source;
  const drafts: Draft[] = [];
  let operands = op.operands;
  while (operands.length > SLOTS) {
    const some = operands.slice(0, SLOTS);
    const shapes = some.map((operand) => values.viewOf(operand).shape);
    const rows = shapes.reduce((count, shape) => count + (shape[0] as number), 0);
    const shape = [rows, ...(shapes[0] as readonly number[]).slice(1)];
    const joined = values.make({ dtype: values.type(op.result).dtype, shape });
    drafts.push(joinDraft(source, some, joined, elementCount(shape)));
    operands = [{ value: joined }, ...operands.slice(SLOTS)];
  }
  return [...drafts, joinDraft(source, operands, op.result, source.needed(op.result))];
}

export function meanDraft(source: Source, op: MeanOp): Draft {
  const { shape } = source.values.viewOf(op.x);
  return elementDraft(source, meanCode, op)
    .operand(0, op.x)
    .set(MEAN_SIZE, shape[op.axis] as number)
    .set(MEAN_INNER, elementCount(shape.slice(op.axis + 1)));
}

export function lookupDraft(source: Source, op: LookupOp): Draft {
  const { values } = source;
  const { dtype, shape, data } = values.constant(op.table);
  return elementDraft(source, L.lookupCode, op)
    .operand(0, op.x)
    .packed(L.LOOKUP_TABLE, op.table, data)
    .set(L.LOOKUP_TYPE, TYPE_CODE[dtype])
    .set(L.LOOKUP_CHANNELS, shape.length === 2 ? (shape[0] as number) : 1)
    .set(L.LOOKUP_BIAS, values.typeOf(op.x) === 'i8' ? 128 : 0);
}

export function ramplookupDraft(source: Source, op: RamplookupOp): Draft {
  const { data } = source.values.constant(op.table);
  return elementDraft(source, L.rampCode, op)
    .operand(0, op.x)
    .packed(L.RAMP_TABLE, op.table, data)
    .set(L.RAMP_LAST, data.length - 1)
    .set(L.RAMP_UP, op.u);
}
