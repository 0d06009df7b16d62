import { divFloor } from '@ivit/dyadic';
import { DTYPE_RANGE, type Param, type RowquantizeOp, type RowscaleOp } from '@ivit/program';
import { imageWords } from '../../layout.js';
import { Draft } from '../../plan/draft.js';
import type { Source } from '../../plan/source.js';
import { GROUP, linearShader, STAGES } from './linear.wgsl.js';
import { rowsOfGroup } from './match-before.js';
import type { LinearMatch } from './match-linear.js';
import type { WideRows } from './match-wide.js';
import { COLUMNS, packedColumns, packWeights } from './pack-weights.js';
import { isNorm } from './prologue.wgsl.js';
import { formOf, isNarrow, parameterData, STAGE_WORDS, type Stage, writeParameter, writeStage } from './stages.js';
import { ASIDE, type WideStages } from './stages.wgsl.js';
import { APART, LEFT_OVERS } from './wide.wgsl.js';

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
  const { op, x, prologue, result, stages, wide, joined } = match;
  const { shape, data } = values.constant(op.w);
  const [columns, depth] = shape as readonly [number, number];
  const words = ceilDiv(depth, 4);
  const width = packedColumns(columns);
  const blocks = ceilDiv(width, COLUMNS * GROUP);
  const rows = rowsOfGroup(prologue, depth) ?? 4;
  // What somebody else takes of wide rows is made of all of them.
  const count = Math.max(source.needed(result), wide?.aside === undefined ? 0 : wide.count * columns);
  const rowBlocks = rowBlocksOf(ceilDiv(count, columns), rows, match.wide?.count ?? 0);
  // Blocks of 256 columns that one workgroup makes after another: rows that come as codes are as well read again.
  const spread = prologue === 'codes' ? blocks : Math.min(blocks, ceilDiv(choice.groups ?? 1, rowBlocks));
  const passes = ceilDiv(blocks, spread);
  const code = linearShader({
    packed: choice.packed,
    prologue: {
      kind: prologue,
      codes: match.codes !== undefined,
      narrow: match.scaling !== undefined && isNarrow(values, match.scaling),
    },
    rows,
    words: isNorm(prologue) ? words : 0,
    stages: stages.map(formOf),
    result: values.type(result).dtype as 'i8' | 'i16' | 'i32',
    ...(wide && { both: bothOf(wide, joined) }),
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
  const all = [...stages, ...(wide?.stages ?? []), ...joined];
  for (const [i, stage] of all.entries()) writeStage(draft, values, STAGES + i * STAGE_WORDS, stage);
  if (wide !== undefined) {
    writeWide(draft, source, match, wide);
    writeAside(draft, source, wide, STAGES + all.length * STAGE_WORDS);
  }
  draft.grid = [rowBlocks, ceilDiv(blocks, passes)];
  return draft;
}

function bothOf({ stages, aside, apart }: WideRows, joined: readonly Stage[]): WideStages & { apart: boolean } {
  const wide = { wide: stages.map(formOf), joined: joined.map(formOf), apart };
  return aside === undefined ? wide : { ...wide, aside: formOf(aside.stage) };
}

/** The stage of the first columns that somebody else takes, with their place where an addend's would be. */
function writeAside(draft: Draft, { values }: Source, { aside }: WideRows, at: number): void {
  if (aside === undefined) return;
  writeStage(draft, values, at, aside.stage);
  draft.making(aside.stage.op.result, at + ASIDE).set(at + ASIDE + 2, aside.columns);
}

/** Workgroups of so many rows: of wide ones, which are the first, half as many fit. */
function rowBlocksOf(count: number, rows: number, wide: number): number {
  return ceilDiv(Math.min(count, wide), rows >> 1) + ceilDiv(Math.max(0, count - wide), rows);
}

/** How many rows are wide, their words, and the block of constants that `wide.wgsl.ts` tells of. */
function writeWide(draft: Draft, { values }: Source, { op }: LinearMatch, wide: WideRows): void {
  const { count, depth, scaling, apart, value, rows } = wide;
  const { shape, data } = values.constant(op.w);
  const [columns, all] = shape as readonly [number, number];
  const block = new Int32Array(LEFT_OVERS + columns);
  const entry = (param: Param | undefined, none: number): number =>
    param === undefined ? none : (parameterData(values, param)[0] as number);
  block.set([entry(scaling?.m, 1), entry(scaling?.e, 0), entry(scaling?.z, 0)]);
  for (let n = 0; n < columns; n++) {
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += data[n * all + k] as number;
    block[LEFT_OVERS + n] = 128 * sum;
  }
  draft.set(14, count).set(16, depth >> 2);
  draft.int32(15, `wide ${op.w} ${depth} ${block.slice(0, LEFT_OVERS).join()}`, block);
  if (!apart) return;
  const { dtype, shape: own } = values.type(value);
  draft.value(value, APART);
  draft
    .set(APART + 1, imageWords(dtype, own))
    .set(APART + 2, rows.offset >> 1)
    .set(APART + 3, rows.rowStride >> 1);
}

/** Capacities of both sides by channel, and 65536·slot + channel of the codes from `own` words on. */
function writeSlots(
  draft: Draft,
  { values }: Pick<Source, 'values'>,
  rowscale: RowscaleOp,
  { channels, slot, x }: RowquantizeOp,
): void {
  const width = values.viewOf(x).shape.at(-1) as number;
  const each = (param: Param): Int32Array => {
    const data = parameterData(values, param);
    return Int32Array.from({ length: width }, (_, c) => data[data.length === 1 ? 0 : c] as number);
  };
  const sources = channels === undefined ? undefined : values.constant(channels).data;
  const slots = slot === undefined ? undefined : values.constant(slot).data;
  const count = sources?.length ?? width;
  const entries = Array.from({ length: count }, (_, j) => 65536 * (slots?.[j] ?? 0) + (sources?.[j] ?? j));
  const first = entries.findIndex((entry, j) => entry !== j);
  const own = (first < 0 ? count : first) >> 2;
  const rest = entries.slice(4 * own);
  // The last word's codes beyond the row meet weights of 0.
  while (rest.length % 4 !== 0) rest.push(0);
  const key = `slots ${JSON.stringify([rowscale.cp, rowscale.cn, width, channels, slot])}`;
  draft
    .int32(28, key, [...each(rowscale.cp), ...each(rowscale.cn), ...rest])
    .set(29, width)
    .set(31, own);
}

function writePrologue(draft: Draft, { values }: Source, match: LinearMatch): void {
  const { codes, rowscale, rowquantize, layernorm, shiftgelu, scaling } = match;
  if (codes !== undefined) {
    const { shape } = values.type(codes.value);
    draft.value(codes.value, 14);
    draft.set(15, imageWords('u8', shape)).set(16, codes.rows.offset).set(17, codes.rows.rowStride);
  }
  if (rowquantize !== undefined) draft.set(30, rowquantize.z);
  if (rowscale !== undefined && rowquantize !== undefined && match.prologue === 'slots') {
    writeSlots(draft, { values }, rowscale, rowquantize);
  } else if (rowscale !== undefined) {
    draft.set(28, parameterData(values, rowscale.cp)[0] as number);
    draft.set(29, parameterData(values, rowscale.cn)[0] as number);
  }
  if (shiftgelu !== undefined) draft.set(28, shiftgelu.x0).set(29, shiftgelu.n);
  if (layernorm?.b !== undefined) writeParameter(draft, values, 19, { constant: layernorm.b });
  if (scaling === undefined) return;
  for (const [i, param] of [scaling.m, scaling.e, scaling.z].entries())
    writeParameter(draft, values, 21 + 2 * i, param);
  draft.set(31, DTYPE_RANGE[scaling.to].hi);
}
