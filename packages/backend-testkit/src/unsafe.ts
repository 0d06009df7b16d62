/** The only places where a type is claimed and not shown; each says who checks it. */
import type { Op, ValidatedProgram } from '@ivit/program';

/** Ops as a vector file states them. `validate` refuses what is no op, no parameter or no operand. */
export function claimOps(ops: readonly unknown[]): readonly Op[] {
  return ops as readonly Op[];
}

/** A proved program whose first op has become one that no spec defines: what a backend must refuse at compile. */
export function withUnknownOp(program: ValidatedProgram, name: string): ValidatedProgram {
  const [first, ...rest] = program.ops;
  return { ...program, ops: claimOps([{ ...first, op: name }, ...rest]) };
}
