/**
 * `linear` of whole rows with what comes before and after it:
 *
 *     y[r,n] = stages( b[n] + Σ_k x[r,k]·w[n,k] ),  x = prologue(row r)
 *
 * A workgroup takes 8 (or 4) rows of one image into workgroup memory and 256 columns a pass; an invocation makes 4 columns of
 * all its rows, so that a word of weights is read once for 8 rows and 32 four-fold products need 12 reads. Rows are a multiple of 4
 * long and start on a word; 197 rows waste 3 of 200. The validator proves |b| + Σ|w|·max|x| ≤ M, so no sum wraps. Where the first
 * rows are i16, they have workgroups of their own (`wide.wgsl.ts`).
 */
import { bindings } from '../bindings.wgsl.js';
import { dot } from './dot.wgsl.js';
import { isNorm, type PrologueForm, prologue } from './prologue.wgsl.js';
import type { StageForm } from './stages.js';
import { stagesText, type WideStages } from './stages.wgsl.js';
import { rowOfTile } from './wide.wgsl.js';

/** Invocations of a workgroup. */
export const GROUP = 64;
/** Words of a row that are in workgroup memory at once, where rows come in chunks. */
export const CHUNK = 128;
/** First of the record's words that belong to the stages. */
export const STAGES = 32;

export interface LinearForm {
  /** `dot4I8Packed`, or four products. */
  readonly packed: boolean;
  readonly prologue: Omit<PrologueForm, 'wide' | 'apart'>;
  readonly rows: 4 | 8;
  /** Words of a whole row of codes, for the norm prologues. */
  readonly words: number;
  readonly stages: readonly StageForm[];
  readonly result: 'i8' | 'i16' | 'i32';
  /** Where the first rows are wide: workgroups in front take half as many of them each. */
  readonly both?: WideStages & { readonly apart: boolean };
}

const STORES = {
  i8: '      arena[at >> 2u] = pack_i8(y);',
  i16: `      arena[at >> 1u] = pack_i16(y.x, y.y);
      if (column + 2u < columns) { arena[(at >> 1u) + 1u] = pack_i16(y.z, y.w); }`,
  i32: `      for (var c = 0u; c < min(4u, columns - column); c++) {
        arena[at + c] = bitcast<u32>(y.x);
        y = y.yzwx;
      }`,
} as const;
const SHIFTS = { i8: 2, i16: 1, i32: 0 } as const;

/** Which rows a workgroup has. */
const blocks = /* wgsl */ `  let wide = u32(field(14u));
  let wide_blocks = (wide + ROWS / 2u - 1u) / (ROWS / 2u);
  pair_shift = select(0u, 1u, group.x < wide_blocks);
  let first = select(wide + (group.x - wide_blocks) * ROWS, group.x * (ROWS / 2u), pair_shift == 1u);
  let rows = select(u32(field(18u)), min(min(first + ROWS / 2u, wide), u32(field(18u))), pair_shift == 1u);`;

const allNarrow = /* wgsl */ `  let first = group.x * ROWS;
  let rows = u32(field(18u));`;

export function linearShader(form: LinearForm): string {
  const { rows, both } = form;
  const wide = both !== undefined;
  const whole = isNorm(form.prologue.kind);
  const tile = whole ? 2 * form.words : CHUNK;
  const each = (line: (r: number) => string): string => Array.from({ length: rows }, (_, r) => line(r)).join('\n');
  const step = whole ? ' * 2u' : '';
  const four = (a: string): string => `vec4<i32>(dot4(${a}, b0), dot4(${a}, b1), dot4(${a}, b2), dot4(${a}, b3))`;
  const products = `${each((i) => `        let a${i} = tile[${i * tile}u + w${step}];`)}
${each((i) => `        sum${i} += ${four(`a${i}`)};`)}`;
  const bias = wide
    ? `    for (var c = 0u; c < 4u; c++) {
      bias = vec4<i32>(bias.yzw, left_over(min(column + c, columns - 1u)));
    }
    let begin = select(bias, vec4<i32>(), pair_shift == 1u);`
    : `    if (field(11u) != 0) {
      for (var c = 0u; c < 4u; c++) {
        bias = vec4<i32>(bias.yzw, parameter(11u, min(column + c, columns - 1u)));
      }
    }`;
  const pairs = Array.from(
    { length: rows >> 1 },
    (_, i) => `      sum${i} = 256 * sum${2 * i} + sum${2 * i + 1} + bias;`,
  );
  const paired = wide ? `    if (pair_shift == 1u) {\n${pairs.join('\n')}\n    }\n` : '';
  const aside = both?.aside === undefined ? '' : '\n      write_aside(own, image, row, column);';
  // The sums move up one by one: indexed by a loop's counter they would leave the registers.
  const next = each((i) => (i + 1 < rows ? `      sum${i} = sum${i + 1};` : ''));
  const fill = whole
    ? ''
    : `      if (pass_index == 0u || words > CHUNK) {
        workgroupBarrier();
        fill(source, r, thread % LANES, start, count);
      }
      workgroupBarrier();
`;
  return /* wgsl */ `${bindings}
const ROWS: u32 = ${rows}u;
const LANES: u32 = ${rows === 8 ? 8 : 16}u;
const TILE: u32 = ${tile}u;
const CHUNK: u32 = ${whole ? form.words : CHUNK}u;
var<workgroup> tile: array<u32, ${rows * tile}>;
var<workgroup> codes: array<u32, ${rows}>;
${dot(form.packed)}${stagesText(form.stages, STAGES, both)}${prologue({ ...form.prologue, wide, apart: both?.apart === true })}
@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let image = group.z;
${wide ? blocks : allNarrow}
  let columns = u32(field(7u));
  let words = u32(field(8u));
  let width = u32(field(10u));
  let passes = u32(field(13u));
  let r = thread / LANES;
  let source = row_address(image, first + ${rowOfTile('r', wide)});
  let to = (u32(field(0u)) + image * u32(field(1u))) << ${SHIFTS[form.result]}u;
  prepare(image, first, thread);
  workgroupBarrier();
  for (var pass_index = 0u; pass_index < passes; pass_index++) {
    let quad = (group.y * passes + pass_index) * ${GROUP}u + thread;
    let column = min(quad, width / 4u - 1u) * 4u;
    var bias = vec4<i32>();
${bias}
${each((i) => `    var sum${i} = ${wide ? 'begin' : 'bias'};`)}
    for (var start = 0u; start < words; start += CHUNK) {
      let count = min(CHUNK, words - start);
${fill}      var at = u32(field(9u)) + start * width + column;
      for (var w = 0u; w < count; w++) {
        let b0 = constants[at];
        let b1 = constants[at + 1u];
        let b2 = constants[at + 2u];
        let b3 = constants[at + 3u];
        at += width;
${products}
      }
    }
${paired}    for (var i = 0u; i < ROWS; i++) {
      let row = first + i;
      if (quad * 4u < columns && row < rows) {
        var y = vec4<i32>();
        var own = sum0;
        for (var c = 0u; c < 4u; c++) {
          y = vec4<i32>(y.yzw, finish(own.x, image, row, min(column + c, columns - 1u), codes[i]));
          own = own.yzwx;
        }
        let at = to + row * columns + column;
${STORES[form.result]}${aside}
      }
${next}
    }
  }
}
`;
}
