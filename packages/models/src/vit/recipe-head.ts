import type { Addend, ProgramBuilder } from '@ivit/program';
import { LOGITS } from './recipe-names.js';
import { normInput } from './recipe-norm-input.js';
import { addRowLinear, addScaling, addWideRowsLinear } from './recipe-ops.js';
import type { RecipeEdge, RecipeHead, RecipeLinear } from './recipe-types.js';
import { addRowQuantize, type RowQuantized, type WideRows, wideRow } from './row-quantize.js';
import { patchCount, prefixTokens, readoutOf } from './tokens.js';
import type { VitConfig } from './types.js';

/** What a classifier reads: a row's codes, or the row itself. */
export type HeadInput = RowQuantized | WideRows;

/** The i16 value `name [D]` as its edge says. */
function addHeadInput(builder: ProgramBuilder, name: string, edge: RecipeEdge): HeadInput {
  return (edge.wideRows ?? 0) > 0 ? wideRow(builder, name) : addRowQuantize(builder, name, { value: name }, edge);
}

/** i16 `NAME [D]` and its codes from the final norm's row `row` of `norm.norm [N,D]`. */
function addHeadRow(builder: ProgramBuilder, name: string, row: number, edge: RecipeEdge): HeadInput {
  const dim = builder.type('norm.norm').shape.at(-1) ?? 1;
  const view = { offset: row * dim, shape: [dim], strides: [1] };
  addScaling(builder, name, { value: 'norm.norm', view }, edge.scaling, { axis: 0, run: 1 });
  return addHeadInput(builder, name, edge);
}

/**
 * From the residual stream `x [N,D]` to what the classifiers read: i16 `norm [D]` and its codes; for a distilled model
 * `norm.distillation [D]` and its codes as well.
 */
export function addHeadNorm(
  builder: ProgramBuilder,
  config: VitConfig,
  x: string,
  head: { readonly norm: RecipeEdge; readonly distillation?: { readonly norm: RecipeEdge } },
): readonly HeadInput[] {
  const { dim } = config;
  const readout = readoutOf(config);
  const input = normInput(builder, 'norm', x, head.norm);
  if (readout === 'class' || readout === 'distilled') {
    builder.add({ op: 'layernorm', result: 'norm.norm', x: input });
    const classRow = addHeadRow(builder, 'norm', 0, head.norm);
    if (head.distillation === undefined) return [classRow];
    return [classRow, addHeadRow(builder, 'norm.distillation', 1, head.distillation.norm)];
  }
  const shape = [patchCount(config), dim];
  const patches = { ...input, view: { offset: prefixTokens(config) * dim, shape, strides: [dim, 1] } };
  if (readout === 'mean-norm') {
    const pooled = builder.add({ op: 'mean', result: 'norm.pooled', x: patches, axis: 0 });
    const norm = builder.add({ op: 'layernorm', result: 'norm.norm', x: { value: pooled } });
    addScaling(builder, 'norm', { value: norm }, head.norm.scaling, { axis: 0, run: 1 });
  } else {
    const norm = builder.add({ op: 'layernorm', result: 'norm.norm', x: patches });
    const rows = addScaling(builder, 'norm.rows', { value: norm }, head.norm.scaling, { axis: 1, run: 1 });
    builder.add({ op: 'mean', result: 'norm', x: { value: rows }, axis: 0 });
  }
  return [addHeadInput(builder, 'norm', head.norm)];
}

function addClassifier(
  builder: ProgramBuilder,
  name: string,
  result: string,
  x: HeadInput,
  linear: RecipeLinear,
  addend?: Addend,
): string {
  return 'codes' in x
    ? addRowLinear(builder, name, result, x, linear, 'i32', addend)
    : addWideRowsLinear(builder, name, result, x, linear, 'i32', addend);
}

/**
 * Classifier: i32 `logits [classes]` in units of 2^-outputShift; for a distilled model the sum of two halves, each
 * rounded to that unit.
 *
 * @param inputs of {@link addHeadNorm}.
 */
export function addHead(builder: ProgramBuilder, inputs: readonly HeadInput[], head: RecipeHead): string {
  const [classRow, distillationRow] = inputs;
  if (classRow === undefined) throw new RangeError('a classifier needs an input');
  if (distillationRow === undefined || head.distillation === undefined) {
    return addClassifier(builder, 'head', LOGITS, classRow, head.linear);
  }
  const half = addClassifier(builder, 'head', 'head.class', classRow, head.linear);
  const addend = { operand: { value: half }, m: 1, e: 0 };
  return addClassifier(builder, 'head.distillation', LOGITS, distillationRow, head.distillation.linear, addend);
}
