/** Requantizations of elements that four indices name: outer group, group, row and column. */

/** First of the record's words that belong to stages, and the words of each. */
export const STAGES = 32;
export const STAGE_WORDS = 24;

/** Whether a requantization has an addend, and whether its sums fit an i32. */
export interface FourForm {
  readonly addend: boolean;
  readonly narrow: boolean;
}

/** `fn name(x, image, i)`: a requantization by the indices (outer group, group, row, column) of an element. */
export function stage(name: string, at: number, { addend, narrow: fits }: FourForm): string {
  const scale = fits ? 'scale_narrow' : 'scale_term';
  const sum = `${scale}(x, parameter(${at}u, channel), u32(parameter(${at + 2}u, channel)))`;
  const place = `place_element(${at + 14}u, image, u32(field(${at + 18}u) + dot_of(${at + 19}u, i)))`;
  const term = `${scale}(${place}, field(${at + 12}u), u32(field(${at + 13}u)))`;
  const z = `parameter(${at + 4}u, channel)`;
  const limits = `field(${at + 6}u), field(${at + 7}u)`;
  const both = fits ? `${sum} + ${term}` : `wide_add(${sum}, ${term})`;
  const terms = addend ? both : sum;
  const y = fits ? `clamp(${terms} + ${z}, ${limits})` : `clamp_wide(wide_add(${terms}, wide_of(${z})), ${limits})`;
  return /* wgsl */ `
fn ${name}(x: i32, image: u32, i: vec4<u32>) -> i32 {
  let channel = u32(dot_of(${at + 8}u, i));
  return ${y};
}
`;
}

/** `dot_of` and `row_word`: what stages and operands read. */
export const helpers = /* wgsl */ `
fn dot_of(at: u32, i: vec4<u32>) -> i32 {
  let index = vec4<i32>(i);
  return index.x * field(at) + index.y * field(at + 1u) + index.z * field(at + 2u) + index.w * field(at + 3u);
}

/** First word of row r of an operand whose place begins at a record's word; strides are in words. */
fn row_word(at: u32, image: u32, group: vec2<u32>, r: u32) -> u32 {
  return u32(field(at)) + image * u32(field(at + 1u))
    + u32(field(at + 2u) + i32(group.x) * field(at + 3u) + i32(group.y) * field(at + 4u) + i32(r) * field(at + 5u));
}
`;
