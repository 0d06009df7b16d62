import { IvitError } from './error.js';
import type { Op, OpName, SpecId } from './types.js';

/** Every version of every op of ivit/1 and ivit/1.1: what a backend declares that lacks none. */
export const OP_VERSIONS: Readonly<Record<OpName, readonly number[]>> = {
  requantize: [1],
  rowscale: [1],
  rowquantize: [1],
  linear: [1],
  matmul: [1, 2],
  softmax: [1, 2],
  shiftgelu: [1],
  layernorm: [1],
  lookup: [1],
  ramplookup: [1],
  mean: [1],
  gather: [1],
  concat: [1],
};

/** Version of an op's semantics: what a backend declares. 2 for `softmax` and `matmul` with `log2`, 1 for all else. */
export function opVersion(op: Op): 1 | 2 {
  return (op.op === 'softmax' || op.op === 'matmul') && op.log2 !== undefined ? 2 : 1;
}

/** The least spec id that holds all these ops: version 1 is ivit/1, version 2 came with ivit/1.1. */
export function specOf(ops: readonly Op[]): SpecId {
  return ops.some((op) => opVersion(op) > 1) ? 'ivit/1.1' : 'ivit/1';
}

/**
 * Refuses ops that a backend does not declare.
 *
 * @param declared versions by op name
 * @param who the backend in words, as `CPU`
 * @throws E_UNSUPPORTED_OP
 */
export function assertDeclared(
  ops: readonly Op[],
  declared: Readonly<Record<string, readonly number[]>>,
  who: string,
): void {
  for (const op of ops) {
    if (Object.hasOwn(declared, op.op) && declared[op.op]?.includes(opVersion(op))) continue;
    throw new IvitError('E_UNSUPPORTED_OP', `The ${who} backend has no op '${op.op}' of version ${opVersion(op)}`, {
      where: op.result,
    });
  }
}
