import { IvitError } from '../error.js';
import { assertDeclared } from '../op-version.js';
import type { ValidatedProgram } from '../types.js';
import { throwIfAborted } from './abort.js';
import { requestedOutputs } from './requested-outputs.js';

/** What a caller may ask of `compile`, as the backend contract has it. */
export interface CompileWishes {
  readonly maxBatch?: number;
  readonly outputs?: readonly string[];
  readonly signal?: AbortSignal;
}

/** The same, checked and with nothing left open. */
export interface CompileRequest {
  /** Images that one run may bring, at least 1. */
  readonly maxBatch: number;
  /** The program's output first, then those asked for besides, each once. */
  readonly outputs: readonly string[];
}

/**
 * How every `compile` begins: refuses what no backend of these ops can make of the program.
 *
 * @param who the backend in words, as `CPU`
 * @param declared its op versions, by op name
 * @throws E_ABORTED, E_UNSUPPORTED_OP, E_INPUT (maxBatch, or an output that the program has not)
 */
export function compileRequest(
  program: Pick<ValidatedProgram, 'ops' | 'output' | 'values'>,
  wishes: CompileWishes,
  who: string,
  declared: Readonly<Record<string, readonly number[]>>,
): CompileRequest {
  throwIfAborted(wishes.signal, 'Compiling');
  assertDeclared(program.ops, declared, who);
  const { maxBatch = 1 } = wishes;
  if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) {
    throw new IvitError('E_INPUT', `maxBatch is ${maxBatch}, not a whole number of at least 1`, { where: 'maxBatch' });
  }
  return { maxBatch, outputs: requestedOutputs(program, wishes.outputs) };
}
