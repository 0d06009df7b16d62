import type { Op, Param } from '@ivit/program';
import { ELEMENT_GROUP } from '../kernels/common/element-kernel.wgsl.js';
import { Draft } from './draft.js';
import type { PlanValues } from './values.js';

/** What the drafts of ops start from. */
export interface Source {
  readonly values: PlanValues;
  /** Elements of a value that are needed, from the first on. */
  needed(value: string): number;
}

/** A draft of a kernel with one invocation for each word of the result. */
export function elementDraft(source: Source, code: string, op: Op): Draft {
  const draft = new Draft(source.values, code, op.result, source.needed(op.result));
  return draft.groups((draft.words + ELEMENT_GROUP - 1) >>> 6);
}

/** A parameter's integers and the name that equal ones share. */
export function parameter(
  { values }: Source,
  param: Param,
): { readonly key: string; readonly data: ArrayLike<number> } {
  if (typeof param === 'number') return { key: `= ${param}`, data: [param] };
  return { key: param.constant, data: values.constant(param.constant).data };
}

/** Writes a parameter's place, and behind it its step from channel to channel. */
export function setParameter(source: Source, draft: Draft, word: number, param: Param, stepWord = word + 1): void {
  const { key, data } = parameter(source, param);
  draft.int32(word, key, data).set(stepWord, data.length === 1 ? 0 : 1);
}
