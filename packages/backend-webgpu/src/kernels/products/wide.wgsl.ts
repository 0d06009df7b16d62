/**
 * Rows of i16 in products of packed i8. An entry p is 256·h + l with -128 ≤ h < 128 and 0 ≤ l < 256, so that
 *
 *     Σ p·w = 256·Σ h·w + Σ (l - 128)·w + 128·Σ w
 *
 * and a row is two rows of the tile, h in the even one and l - 128 in the odd one. The sums stay below the validator's bound at the
 * end only, but they are integers modulo 2^32 all the way.
 */

/** Words of a block of constants that field 15 tells of: m, e and z of the entries, then 128·Σw of each column. */
export const LEFT_OVERS = 3;

/** Words that tell where wide rows lie that are not in front of the others: place, words from image to image, offset, row stride. */
export const APART = 19;

/** First word of a row, the last row for rows beyond it: of one value, or of wide rows apart from the others. */
export const rowAddress = (apart: boolean): string => {
  const address = (place: string, image: string, offset: string, stride: string, row: string): string =>
    `u32(field(${place})) + u32(field(${offset})) + image * u32(field(${image})) + ${row} * u32(field(${stride}))`;
  const row = apart ? '(min(row, u32(field(18u)) - 1u) - u32(field(14u)))' : 'min(row, u32(field(18u)) - 1u)';
  const wide = [APART, APART + 1, APART + 2, APART + 3].map((word) => `${word}u`) as [string, string, string, string];
  const first = apart
    ? `  if (pair_shift == 1u) { return ${address(...wide, 'min(row, u32(field(14u)) - 1u)')}; }\n`
    : '';
  return /* wgsl */ `
/** First word of a row, the last row for rows beyond it. */
fn row_address(image: u32, row: u32) -> u32 {
${first}  return ${address('4u', '5u', '27u', '6u', row)};
}
`;
};

/** The row, of those from a workgroup's first on, that a row of the tile belongs to. */
export const rowOfTile = (r: string, wide: boolean): string => (wide ? `(${r} >> pair_shift)` : r);

export const wideRows = /* wgsl */ `
/** 1 in workgroups of wide rows, 0 in others: log2 of the tile's rows that a row takes. */
var<private> pair_shift: u32;

fn wide_entry(x: i32) -> i32 {
  let block = u32(field(15u));
  let term = scale_term(x, bitcast<i32>(constants[block]), constants[block + 1u]);
  return clamp_wide(wide_add(term, wide_of(bitcast<i32>(constants[block + 2u]))), -32768, 32767);
}

/** Four i16 as their upper (part 0) or lower bytes. */
fn wide_word(low: u32, high: u32, part: u32) -> u32 {
  let p = vec4<i32>(wide_entry(lane_i16(low, 0u)), wide_entry(lane_i16(low, 1u)),
    wide_entry(lane_i16(high, 0u)), wide_entry(lane_i16(high, 1u)));
  if (part == 0u) { return pack_i8(p >> vec4<u32>(8u)); }
  return pack_i8(p) ^ 0x80808080u;
}

/** Word w of a row of the tile; beyond the row's entries are weights of slots, which it leaves alone. */
fn wide_at(source: u32, w: u32, part: u32) -> u32 {
  if (w >= u32(field(16u))) { return 0u; }
  return wide_word(arena[source + 2u * w], arena[source + 2u * w + 1u], part);
}

/** What is added to column n: the bias, or 128·Σw. */
fn left_over(n: u32) -> i32 {
  if (pair_shift == 1u) { return bitcast<i32>(constants[u32(field(15u)) + ${LEFT_OVERS}u + n]); }
  return parameter(11u, n);
}
`;
