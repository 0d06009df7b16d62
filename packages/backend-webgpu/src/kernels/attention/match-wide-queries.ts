/**
 * Attention of rows whose queries are i16, beside that of all rows, whose queries are i8: with `accurate@2` the class token has its
 * own. Over the same keys and values both run as one dispatch.
 */
import type { Op, SoftmaxOp } from '@ivit/program';
import { operandsOf, type Uses } from '../../plan/uses.js';
import type { PlanValues } from '../../plan/values.js';
import { type AttentionMatch, type FourStage, matchAttention } from './match-attention.js';

/** Most requantizations of both kinds together: what the record holds. */
const MOST_STAGES = 4;

export interface WideQueries {
  readonly match: AttentionMatch;
  /** Requantization of its sums. */
  readonly out: FourStage;
  /** First rows of the others that nobody reads. */
  readonly skip: number;
}

/** One dispatch, and which of its parts there are. */
export interface AttentionPair {
  readonly match: AttentionMatch;
  readonly wide?: WideQueries;
}

const lastOp = ({ ops }: AttentionMatch): Op => ops[ops.length - 1] as Op;
const stagesOf = ({ logits, out }: AttentionMatch): readonly FourStage[] => [
  ...logits,
  ...(out === undefined ? [] : [out]),
];

/** What both must have in common. */
function sharedOf({ groups, keys, depth, k, v, softmax }: AttentionMatch): string {
  return JSON.stringify([groups, keys, depth, k, v, softmax.exponential, softmax.bits]);
}

/** Rows, counted from the first, that nobody reads: all readers begin behind them and go on from there. */
function unreadRows(values: PlanValues, uses: Uses, { result, resultStrides, queries }: AttentionMatch): number {
  const [outer, group, row] = resultStrides;
  if (uses.isKept(result) || row <= Math.max(outer, group)) return 0;
  let begin = queries * row;
  for (const reader of uses.readers(result)) {
    for (const operand of operandsOf(reader)) {
      if (!('value' in operand) || operand.value !== result) continue;
      const { offset, strides } = values.viewOf(operand);
      begin = strides.some((stride) => stride < 0) ? 0 : Math.min(begin, offset);
    }
  }
  return (begin - (begin % row)) / row; // float-ok: a multiple
}

/** Whether rows of i16 queries can run with the others, in their dispatch. */
function fits(values: PlanValues, uses: Uses, own: AttentionMatch, others: AttentionMatch): boolean {
  const stages = [...stagesOf(own), ...stagesOf(others)];
  if (own.out === undefined || others.out === undefined || stages.length > MOST_STAGES) return false;
  if (stages.some(({ addend }) => addend !== undefined) || sharedOf(own) !== sharedOf(others)) return false;
  if (values.type(own.result).dtype !== values.type(others.result).dtype || uses.isKept(own.result)) return false;
  // Nobody may wait for it who stands in front of the others, which come last.
  return uses.readBehind(own.result, lastOp(others));
}

/** The dispatches of attention by the softmax ops in them. */
export function attentionPairs(values: PlanValues, uses: Uses): ReadonlyMap<SoftmaxOp, AttentionPair> {
  const softmaxes = values.program.ops.filter((op) => op.op === 'softmax');
  const found = new Map<SoftmaxOp, AttentionPair>();
  for (const softmax of softmaxes) {
    const match = matchAttention(values, uses, softmax);
    if (match !== undefined) found.set(softmax, { match });
  }
  for (const softmax of softmaxes) {
    const match = found.has(softmax) ? undefined : matchAttention(values, uses, softmax, 'i16');
    if (match?.out === undefined) continue;
    const others = [...found.values()].find((pair) => pair.wide === undefined && fits(values, uses, match, pair.match));
    if (others === undefined) continue;
    const wide = { match, out: match.out, skip: unreadRows(values, uses, others.match) };
    const pair = { match: others.match, wide };
    found.set(others.match.softmax, pair).set(softmax, pair);
  }
  return found;
}
