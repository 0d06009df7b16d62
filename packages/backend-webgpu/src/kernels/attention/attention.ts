import { divFloor } from '@ivit/dyadic';
import { POW2_FRACTION, shiftExpTable } from '@ivit/nonlinear';
import { DTYPE_RANGE, type SoftmaxOp } from '@ivit/program';
import { imageWords } from '../../layout.js';
import { Draft } from '../../plan/draft.js';
import type { Source } from '../../plan/source.js';
import type { PlanValues } from '../../plan/values.js';
import { isNarrow, writeParameter, writePlace } from '../products/stages.js';
import { attentionShader } from './attention.wgsl.js';
import { type FourForm, STAGE_WORDS, STAGES } from './four-stage.wgsl.js';
import type { FourOperand, FourStage } from './match-attention.js';
import type { AttentionPair, WideQueries } from './match-wide-queries.js';
import { WIDE_COUNT, WIDE_OPERAND, WIDE_RESULT, WIDE_SKIP, wideRowsOf } from './wide-queries.wgsl.js';

export interface AttentionChoice {
  /** `dot4I8Packed`, or four products. */
  readonly packed: boolean;
}

/** The parts of a pair that are needed; without the others the wide queries' result is the dispatch's. */
export interface NeededParts {
  readonly others: boolean;
  readonly wide: boolean;
}

/** The one dispatch of a pair. */
export function fusedAttentionDraft(
  source: Source,
  pair: AttentionPair,
  needed: NeededParts,
  choice: AttentionChoice,
): Draft {
  const { values } = source;
  const { match } = pair;
  const wide = needed.wide ? pair.wide : undefined;
  const { softmax, groups, keys, depth, rows, logits, out, resultStrides } = match;
  const result = needed.others || wide === undefined ? match.result : wide.match.result;
  const count = source.needed(result);
  // Where rows are what strides widest, a prefix of the result is a prefix of the queries.
  const [outer, group, row] = resultStrides;
  const prefix = groups[0] === 1 && (groups[1] === 1 || row > group) && outer <= row;
  const queries = prefix && needed.others ? Math.min(match.queries, -divFloor(-count, row)) : match.queries;
  const form = ({ op, addend }: FourStage): FourForm => {
    return { addend: addend !== undefined, narrow: isNarrow(values, op) };
  };
  const code = attentionShader({
    packed: choice.packed,
    rows,
    quads: (keys + 3) >> 2,
    depthWords: depth >> 2,
    exponential: 'pow2' in softmax.exponential ? 'pow2' : 'table',
    bits: softmax.bits,
    logits: logits.map(form),
    out: out === undefined ? undefined : form(out),
    result: values.type(match.result).dtype as 'i8' | 'i16' | 'i32',
    ...(wide && { wide: { logits: wide.match.logits.map(form), out: form(wide.out) } }),
  });
  const draft = new Draft(values, code, result, count);
  draft.set(4, queries).set(5, keys).set(6, depth).set(7, groups[1]);
  writeOperand(draft, values, 8, match.q);
  writeOperand(draft, values, 14, match.k);
  writeOperand(draft, values, 20, match.v);
  writeExponential(draft, values, softmax);
  draft.set(28, outer).set(29, group).set(30, row);
  const stages = [...logits, ...(out === undefined ? [] : [out])];
  const all = [...stages, ...(wide === undefined ? [] : [...wide.match.logits, wide.out])];
  for (const [i, stage] of all.entries()) writeStage(draft, values, STAGES + i * STAGE_WORDS, stage);
  const skip = wide === undefined ? 0 : Math.min(wide.skip, queries);
  const blocks = needed.others ? -divFloor(-(queries - skip), rows) : 0;
  const wideBlocks = wide === undefined ? 0 : writeWide(draft, values, wide, stages.length, rows);
  draft.partial = skip > 0 && needed.others;
  draft.grid = [blocks + wideBlocks, groups[0] * groups[1]];
  return draft;
}

/** What the record tells of wide queries. @returns how many workgroups they are */
function writeWide(
  draft: Draft,
  values: PlanValues,
  { match, skip }: WideQueries,
  stages: number,
  rows: 4 | 8,
): number {
  const first = STAGES + stages * STAGE_WORDS;
  writeOperand(draft, values, first + WIDE_OPERAND, match.q);
  draft.set(first + WIDE_COUNT, match.queries).set(first + WIDE_SKIP, skip);
  const place = first + match.logits.length * STAGE_WORDS + WIDE_RESULT;
  draft.making(match.result, place);
  for (const [i, stride] of match.resultStrides.entries()) draft.set(place + 2 + i, stride);
  return -divFloor(-match.queries, wideRowsOf(rows));
}

/** Place, and strides in words. */
function writeOperand(draft: Draft, values: PlanValues, at: number, operand: FourOperand): void {
  const { dtype, shape } = values.type(operand.value);
  draft.value(operand.value, at);
  const shift = dtype === 'i8' ? 2 : 1;
  draft.set(at + 1, imageWords(dtype, shape)).set(at + 2, operand.offset >> shift);
  for (const [i, stride] of operand.strides.entries()) draft.set(at + 3 + i, stride >> shift);
}

function writeExponential(draft: Draft, values: PlanValues, { exponential }: SoftmaxOp): void {
  if ('pow2' in exponential) {
    draft.int32(26, 'pow2', POW2_FRACTION).set(27, exponential.pow2);
    return;
  }
  if ('table' in exponential) {
    const { data } = values.constant(exponential.table);
    draft.int32(26, exponential.table, data).set(27, data.length - 1);
    return;
  }
  const { shift, n } = exponential;
  const table = shiftExpTable(shift, n);
  draft.int32(26, `shift ${shift} ${n}`, table).set(27, table.length - 1);
}

function writeStage(draft: Draft, values: PlanValues, at: number, { op, channel, addend }: FourStage): void {
  for (const [i, param] of [op.m, op.e, op.z].entries()) writeParameter(draft, values, at + 2 * i, param);
  const { lo, hi } = DTYPE_RANGE[op.to];
  draft.set(at + 6, lo).set(at + 7, hi);
  for (const [i, step] of channel.entries()) draft.set(at + 8 + i, step);
  if (op.addend === undefined || addend === undefined) return;
  draft.set(at + 12, op.addend.m).set(at + 13, op.addend.e);
  writePlace(draft, values, at + 14, op.addend.operand);
  draft.set(at + 18, addend.offset);
  for (const [i, stride] of addend.strides.entries()) draft.set(at + 19 + i, stride);
}
