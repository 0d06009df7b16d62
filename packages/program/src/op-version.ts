import type { Op, SpecId } from './types.js';

/** Version of an op's semantics: what a backend declares. 2 for `softmax` and `matmul` with `log2`, 1 for all else. */
export function opVersion(op: Op): 1 | 2 {
  return (op.op === 'softmax' || op.op === 'matmul') && op.log2 !== undefined ? 2 : 1;
}

/** The least spec id that holds all these ops: version 1 is ivit/1, version 2 came with ivit/1.1. */
export function specOf(ops: readonly Op[]): SpecId {
  return ops.some((op) => opVersion(op) > 1) ? 'ivit/1.1' : 'ivit/1';
}
