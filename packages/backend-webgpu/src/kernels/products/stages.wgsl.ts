import { narrow } from '../../wgsl/narrow.wgsl.js';
import { packed } from '../../wgsl/packed.wgsl.js';
import { requantize } from '../../wgsl/requantize.wgsl.js';
import { wide } from '../../wgsl/wide.wgsl.js';
import { STAGE_WORDS, type StageForm } from './stages.js';

/** A parameter of the record, and elements of a place: what stages and prologues read. */
export const reading = /* wgsl */ `
/** The parameter at a record's word, for a channel. */
fn parameter(at: u32, channel: u32) -> i32 {
  let value = field(at + 1u);
  if (field(at) == 0) { return value; }
  return bitcast<i32>(constants[u32(value) + channel]);
}

/** Element i of the place at a record's word, in an image. */
fn place_element(at: u32, image: u32, i: u32) -> i32 {
  let kind = field(at + 3u);
  let shift = select(select(2u, 1u, kind == 1), 0u, kind == 0);
  let address = u32(field(at + 1u)) + image * u32(field(at + 2u)) + (i >> shift);
  var word = 0u;
  if (field(at) == 0) { word = arena[address]; } else { word = constants[address]; }
  if (kind == 0) { return bitcast<i32>(word); }
  if (kind == 1) { return lane_i16(word, i); }
  return select(i32(lane_u8(word, i)), lane_i8(word, i), kind == 2);
}
`;

function stageText(form: StageForm, at: number): string {
  if (form.kind === 'lookup') {
    return `  y = place_element(${at}u, 0u, u32(y + 128) + column * u32(field(${at + 4}u)));\n`;
  }
  if (form.kind === 'ramplookup') {
    return `  y = (max(y, 0) << u32(field(${at + 5}u))) + place_element(${at}u, 0u, min(u32(abs(y)), u32(field(${at + 4}u)) - 1u));\n`;
  }
  const scale = form.narrow ? 'narrow' : 'term';
  const channel = form.grouped ? `column / u32(field(${at + 6}u))` : 'column';
  const [m, e] = [`parameter(${at}u, channel)`, `u32(parameter(${at + 2}u, channel))`];
  const bias = `parameter(${at + 9}u, channel), u32(field(${at + 11}u))`;
  const lines = [
    `    let channel = ${channel};`,
    form.row
      ? `    var sum = scale_row_${scale}(y, code, ${m}, ${bias}, ${e});`
      : `    var sum = scale_${scale}(y, ${m}, ${e});`,
  ];
  if (form.addend) {
    const index = `field(${at + 18}u) + i32(row) * field(${at + 19}u) + i32(column) * field(${at + 20}u)`;
    const term = `scale_${scale}(place_element(${at + 14}u, image, u32(${index})), field(${at + 12}u), u32(field(${at + 13}u)))`;
    lines.push(form.narrow ? `    sum += ${term};` : `    sum = wide_add(sum, ${term});`);
  }
  const z = `parameter(${at + 4}u, channel)`;
  const [lo, hi] = [`field(${at + 7}u)`, `field(${at + 8}u)`];
  lines.push(
    form.narrow
      ? `    y = clamp(sum + ${z}, ${lo}, ${hi});`
      : `    y = clamp_wide(wide_add(sum, wide_of(${z})), ${lo}, ${hi});`,
  );
  return `  {\n${lines.join('\n')}\n  }\n`;
}

/** Stages of a dispatch that has wide rows: of these, and of both once they are together. */
export interface WideStages {
  readonly wide: readonly StageForm[];
  readonly joined: readonly StageForm[];
  /** What the first columns of wide rows' products become for somebody else: the last stage of the record. */
  readonly aside?: StageForm;
}

/** Words of the stage aside that tell where its result goes: place, words from image to image, columns. */
export const ASIDE = 12;

/** `write_aside(sums, image, row, column)`: four columns of a wide row as i16. */
function asideText(form: StageForm, at: number): string {
  return /* wgsl */ `
fn aside(sum_of_products: i32, column: u32) -> i32 {
  var y = sum_of_products;
${stageText(form, at)}  return y;
}

fn write_aside(sums: vec4<i32>, image: u32, row: u32, column: u32) {
  let columns = u32(field(${at + ASIDE + 2}u));
  if (pair_shift == 0u || column >= columns) { return; }
  let word = u32(field(${at + ASIDE}u)) + image * u32(field(${at + ASIDE + 1}u)) + ((row * columns + column) >> 1u);
  var y = vec4<i32>();
  var own = sums;
  for (var c = 0u; c < 4u; c++) {
    y = vec4<i32>(y.yzw, aside(own.x, column + c));
    own = own.yzwx;
  }
  arena[word] = pack_i16(y.x, y.y);
  arena[word + 1u] = pack_i16(y.z, y.w);
}
`;
}

/** Where the first stage of a kind stands behind the others. */
const firstOf = (at: number, ...before: readonly (readonly StageForm[])[]): number =>
  at + before.flat().length * STAGE_WORDS;

/**
 * `finish(sum, image, row, column, code)`: the stages, one after the other, each exactly its op. The row code is used by
 * row-dynamic stages only. With wide rows, each of both kinds counts its rows for itself before they are together.
 *
 * @param at record's word at which the first stage's parameters begin: the others' stages, the wide rows', those of both
 */
export function stagesText(forms: readonly StageForm[], at: number, both?: WideStages): string {
  const text = (own: readonly StageForm[], first: number): string =>
    own.map((form, i) => stageText(form, first + i * STAGE_WORDS)).join('');
  const body =
    both === undefined
      ? text(forms, at)
      : `  if (pair_shift == 1u) {
    let row = row_of_all;
${text(both.wide, firstOf(at, forms))}  } else {
    let row = row_of_all - u32(field(14u));
${text(forms, at)}  }
  let row = row_of_all;
${text(both.joined, firstOf(at, forms, both.wide))}`;
  const row = both === undefined ? 'row' : 'row_of_all';
  const aside = both?.aside && asideText(both.aside, firstOf(at, forms, both.wide, both.joined));
  return /* wgsl */ `${wide}${requantize}${narrow}${packed}${reading}
fn finish(sum_of_products: i32, image: u32, ${row}: u32, column: u32, code: u32) -> i32 {
  var y = sum_of_products;
${body}  return y;
}
${aside ?? ''}`;
}
