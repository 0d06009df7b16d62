/** Which ops run together as one dispatch. Fused or not, every value that is made has the same bits. */
import type { Op } from '@ivit/program';
import { fusedAttentionDraft } from '../kernels/attention/attention.js';
import { attentionPairs } from '../kernels/attention/match-wide-queries.js';
import { fusedLinearDraft, type LinearChoice } from '../kernels/products/linear.js';
import { matchLinear } from '../kernels/products/match-linear.js';
import type { Draft } from './draft.js';
import type { Source } from './source.js';
import type { Uses } from './uses.js';

export interface FusedOps {
  /** Where the last op of a dispatch stands, its draft. */
  readonly drafts: ReadonlyMap<Op, Draft>;
  /** Ops that have no dispatch of their own. */
  readonly absorbed: ReadonlySet<Op>;
}

/**
 * @param ops those that are needed, in order. A dispatch may make a part of what it could: where only the first rows are needed,
 *   so is not every op that makes them.
 */
export function fuse(source: Source, uses: Uses, ops: readonly Op[], choice: LinearChoice): FusedOps {
  const drafts = new Map<Op, Draft>();
  const absorbed = new Set<Op>();
  const run = (parts: readonly Op[], draft: Draft): void => {
    for (const part of parts) absorbed.add(part);
    const last = parts[parts.length - 1];
    if (last !== undefined) drafts.set(last, draft);
  };
  const needed = new Set(ops);
  const attentions = attentionPairs(source.values, uses);
  for (const op of ops.length === 0 ? [] : source.values.program.ops) {
    if (op.op === 'linear') {
      const match = matchLinear(source.values, uses, op);
      if (match === undefined || !needed.has(match.ops[match.ops.length - 1] as Op)) continue;
      run(match.ops, fusedLinearDraft(source, match, choice));
    }
    const pair = op.op === 'softmax' && !absorbed.has(op) && needed.has(op) ? attentions.get(op) : undefined;
    if (pair === undefined) continue;
    const others = needed.has(pair.match.softmax);
    const wide = pair.wide !== undefined && needed.has(pair.wide.match.softmax);
    const parts = [...(wide ? pair.wide.match.ops : []), ...(others ? pair.match.ops : [])];
    run(parts, fusedAttentionDraft(source, pair, { others, wide }, choice));
  }
  return { drafts, absorbed };
}
