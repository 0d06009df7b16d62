/**
 * Queries of i16 beside the others, over the same keys and values. A query q is 256·h + l with -128 ≤ h < 128 and 0 ≤ l < 256:
 *
 *     q·k = 256·Σ h·k + Σ (l - 128)·k + 128·Σ k
 *
 * Their workgroups stand in front and take two rows of packed i8 for each: h in the even one, l - 128 in the odd one. The last row
 * is all ones, whose products are Σ k, so that there are `wideRowsOf` queries to a workgroup; those behind them are never stored. The sums
 * stay below the validator's bound at the end only, but they are integers modulo 2^32 all the way.
 */
import { type FourForm, STAGE_WORDS, STAGES, stage } from './four-stage.wgsl.js';

export interface WideForm {
  /** At least one. */
  readonly logits: readonly FourForm[];
  readonly out: FourForm;
}

/** Queries of a workgroup of so many rows. */
export const wideRowsOf = (rows: 4 | 8): number => (rows >> 1) - 1;

/**
 * Where the record tells of them, as word of their first and last requantization, in place of an addend: operand, their number,
 * and the rows that the others leave out; place, words from image to image, and strides of the result.
 */
export const WIDE_OPERAND = 12;
export const WIDE_COUNT = 18;
export const WIDE_SKIP = 19;
export const WIDE_RESULT = 12;

/** Texts for the places of `attentionShader` where both kinds of workgroups part. */
export interface WideTexts {
  /** `logit_of` and `out_of`: by the requantizations of either kind. */
  readonly functions: (logits: number) => string;
  readonly sums: string;
  readonly rows: string;
  readonly to: string;
}

/** @param stages of the others: theirs follow in the record */
export function wideQueries({ logits, out }: WideForm, rows: 4 | 8, stages: number): WideTexts {
  const first = STAGES + stages * STAGE_WORDS;
  const last = first + logits.length * STAGE_WORDS;
  const nested = (name: string, count: number): string =>
    Array.from({ length: count }).reduce<string>((inner, _, i) => `${name}${i}(${inner}, image, i)`, 'x');
  const own = logits.map((form, i) => stage(`wide_logit${i}`, first + i * STAGE_WORDS, form)).join('');
  const count = wideRowsOf(rows);
  const sums = Array.from({ length: count }, (_, i) => {
    return `      sum${i} = 256 * sum${2 * i} + sum${2 * i + 1} + 128 * sum${rows - 1};\n`;
  });
  return {
    functions: (others) => /* wgsl */ `${own}${stage('wide_out', last, out)}
/** Whether a workgroup's queries are i16, and the row behind its last one. */
var<private> paired: bool;
var<private> row_end: u32;

fn logit_of(x: i32, image: u32, i: vec4<u32>) -> i32 {
  if (paired) { return ${nested('wide_logit', logits.length)}; }
  return ${nested('logit', others)};
}

fn out_of(x: i32, image: u32, i: vec4<u32>) -> i32 {
  if (paired) { return wide_out(x, image, i); }
  return out(x, image, i);
}

/** Word w of row r of the workgroup's queries. */
fn query_word(image: u32, group: vec2<u32>, first: u32, r: u32, w: u32) -> u32 {
  if (!paired) { return arena[row_word(8u, image, group, min(first + r, row_end - 1u)) + w]; }
  if (r == ROWS - 1u) { return 0x01010101u; }
  let at = row_word(${first + WIDE_OPERAND}u, image, group, min(first + r / 2u, row_end - 1u)) + 2u * w;
  let low = arena[at];
  let high = arena[at + 1u];
  let q = vec4<i32>(lane_i16(low, 0u), lane_i16(low, 1u), lane_i16(high, 0u), lane_i16(high, 1u));
  if (r % 2u == 0u) { return pack_i8(q >> vec4<u32>(8u)); }
  return pack_i8(q) ^ 0x80808080u;
}
`,
    sums: `    if (paired) {\n${sums.join('')}    }\n`,
    rows: /* wgsl */ `  let wide_count = u32(field(${first + WIDE_COUNT}u));
  let wide_blocks = (wide_count + ${count - 1}u) / ${count}u;
  paired = block.x < wide_blocks;
  let first = select(u32(field(${first + WIDE_SKIP}u)) + (block.x - wide_blocks) * ROWS, block.x * ${count}u, paired);
  row_end = select(u32(field(4u)), min(first + ${count}u, wide_count), paired);
  let rows = row_end;`,
    to: /* wgsl */ `  let place = select(0u, ${last + WIDE_RESULT}u, paired);
  let strides = select(28u, ${last + WIDE_RESULT + 2}u, paired);
  let to = u32(field(place)) + image * u32(field(place + 1u));`,
  };
}
