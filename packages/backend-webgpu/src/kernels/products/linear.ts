import { divFloor } from '@ivit/dyadic';
import { DTYPE_RANGE } from '@ivit/program';
import { imageWords } from '../../layout.js';
import { Draft } from '../../plan/draft.js';
import type { Source } from '../../plan/source.js';
import { GROUP, linearShader, STAGES } from './linear.wgsl.js';
import { type LinearMatch, rowsOfGroup } from './match-linear.js';
import { COLUMNS, packedColumns, packWeights } from './pack-weights.js';
import { isNorm } from './prologue.wgsl.js';
import { formOf, isNarrow, parameterData, STAGE_WORDS, writeParameter, writeStage } from './stages.js';

export interface LinearChoice {
  /** `dot4I8Packed`, or four products. */
  readonly packed: boolean;
  /**
   * Workgroups of one image that keep the device busy. With fewer blocks of rows, columns are spread over workgroups, too, each of
   * which repeats what comes before the product. Default: 1.
   */
  readonly groups?: number;
}

const ceilDiv = (a: number, b: number): number => -divFloor(-a, b);

/** The one dispatch of a match. */
export function fusedLinearDraft(source: Source, match: LinearMatch, choice: LinearChoice): Draft {
  const { values } = source;
  const { op, x, prologue, result, stages } = match;
  const { shape, data } = values.constant(op.w);
  const [columns, depth] = shape as readonly [number, number];
  const words = depth >> 2;
  const width = packedColumns(columns);
  const blocks = ceilDiv(width, COLUMNS * GROUP);
  const rows = rowsOfGroup(prologue, depth) ?? 4;
  const count = source.needed(result);
  const rowBlocks = ceilDiv(ceilDiv(count, columns), rows);
  // Blocks of 256 columns that one workgroup makes after another: rows that come as codes are as well read again.
  const spread = prologue === 'codes' ? blocks : Math.min(blocks, ceilDiv(choice.groups ?? 1, rowBlocks));
  const passes = ceilDiv(blocks, spread);
  const code = linearShader({
    packed: choice.packed,
    prologue,
    codes: match.codes !== undefined,
    narrow: match.scaling !== undefined && isNarrow(values, match.scaling),
    rows,
    words: isNorm(prologue) ? words : 0,
    stages: stages.map(formOf),
    result: values.type(result).dtype as 'i8' | 'i16' | 'i32',
  });
  const draft = new Draft(values, code, result, count);
  const type = values.type(x.value);
  // i8 rows have four elements to a word, i16 rows two.
  const shift = type.dtype === 'i8' ? 2 : 1;
  draft.value(x.value, 4);
  draft.set(5, imageWords(type.dtype, type.shape)).set(6, x.rows.rowStride >> shift);
  draft.set(7, columns).set(8, words).set(10, width).set(13, passes);
  draft.set(18, ceilDiv(count, columns)).set(27, x.rows.offset >> shift);
  draft.words32(9, `weights ${op.w}`, words * width, () => packWeights(data, columns, depth));
  if (op.b !== undefined) draft.set(11, 1).int32(12, op.b, values.constant(op.b).data);
  writePrologue(draft, source, match);
  for (const [i, stage] of stages.entries()) writeStage(draft, values, STAGES + i * STAGE_WORDS, stage);
  draft.grid = [rowBlocks, ceilDiv(blocks, passes)];
  return draft;
}

function writePrologue(draft: Draft, { values }: Source, match: LinearMatch): void {
  const { codes, rowscale, rowquantize, layernorm, shiftgelu, scaling } = match;
  if (codes !== undefined) {
    const { shape } = values.type(codes.value);
    draft.value(codes.value, 14);
    draft.set(15, imageWords('u8', shape)).set(16, codes.rows.offset).set(17, codes.rows.rowStride);
  }
  if (rowscale !== undefined && rowquantize !== undefined) {
    draft.set(28, parameterData(values, rowscale.cp)[0] as number);
    draft.set(29, parameterData(values, rowscale.cn)[0] as number);
    draft.set(30, rowquantize.z);
  }
  if (shiftgelu !== undefined) draft.set(28, shiftgelu.x0).set(29, shiftgelu.n);
  if (layernorm?.b !== undefined) writeParameter(draft, values, 19, { constant: layernorm.b });
  if (scaling === undefined) return;
  for (const [i, param] of [scaling.m, scaling.e, scaling.z].entries())
    writeParameter(draft, values, 21 + 2 * i, param);
  draft.set(31, DTYPE_RANGE[scaling.to].hi);
}
