/**
 * How rows of the left operand get into workgroup memory as packed i8. The workgroup's 64 invocations take `ROWS` rows, `LANES`
 * of them a row; rows beyond the last are the last row again, and never stored.
 *
 * - `codes`: i8 rows as they are.
 * - `quantize`: i16 rows through `rowscale` and `rowquantize` (one capacity per side for all channels, no slots).
 * - `slots`: the same with capacities by channel, source channels and slots.
 * - `gelu`: i8 rows through `shiftgelu` and `requantize` to i8.
 * - `norm`: i16 rows through `layernorm` and `requantize` to i8.
 * - `norm-quantize`: the same to i16, and on through `rowscale` and `rowquantize`.
 *
 * Where there are wide rows, the workgroups that have them take the last three as far as i16, and put the upper and the lower bytes
 * of a row into two rows of the tile (`wide.wgsl.ts`).
 */
import { divide } from '../../wgsl/divide.wgsl.js';
import { exponential } from '../../wgsl/exponential.wgsl.js';
import { norm } from '../../wgsl/norm.wgsl.js';
import { rows } from '../../wgsl/rows.wgsl.js';
import { normRows } from './norm-rows.wgsl.js';
import { rowAddress, rowOfTile, wideRows } from './wide.wgsl.js';

export type PrologueKind = 'codes' | 'quantize' | 'slots' | 'gelu' | 'norm' | 'norm-quantize';

export interface PrologueForm {
  readonly kind: PrologueKind;
  /** `codes` with the row codes, which are a value. */
  readonly codes: boolean;
  /** The requantize of `gelu` and the norms fits an i32. */
  readonly narrow: boolean;
  /** Some workgroups have wide rows. */
  readonly wide: boolean;
  /** These lie in a value of their own. */
  readonly apart: boolean;
}

export const isNorm = (kind: PrologueKind): boolean => kind === 'norm' || kind === 'norm-quantize';

/** The row code of rows that come quantized, for a row-dynamic requantize behind the product. */
const readCodes = /* wgsl */ `
fn prepare(image: u32, first: u32, thread: u32) {
  if (thread < ROWS) {
    let i = u32(field(16u)) + min(first + thread, u32(field(18u)) - 1u) * u32(field(17u));
    codes[thread] = lane_u8(arena[u32(field(14u)) + image * u32(field(15u)) + (i >> 2u)], i);
  }
}
`;

const noCodes = /* wgsl */ `
fn prepare(image: u32, first: u32, thread: u32) {}
`;

const fillCodes = /* wgsl */ `
/** Words start … start + count - 1 of each row. */
fn fill(source: u32, r: u32, lane: u32, start: u32, count: u32) {
  for (var w = lane; w < count; w += LANES) { tile[r * TILE + w] = arena[source + start + w]; }
}
`;

/** Most of a side decides its need, as ⌈16·x / capacity⌉ never falls: one division a side. */
const scaleRows = (wide: boolean): string => /* wgsl */ `
fn prepare(image: u32, first: u32, thread: u32) {
  let r = thread / LANES;
  let source = row_address(image, first + ${rowOfTile('r', wide)});
  var lo = 0;
  var hi = 0;
  for (var w = thread % LANES; w < 2u * u32(field(8u)); w += LANES) {
    let word = arena[source + w];
    lo = min(lo, min(lane_i16(word, 0u), lane_i16(word, 1u)));
    hi = max(hi, max(lane_i16(word, 0u), lane_i16(word, 1u)));
  }
  make_code(r, thread, lo, hi);
}
`;

const makeCode = /* wgsl */ `
var<workgroup> lows: array<i32, 64>;
var<workgroup> highs: array<i32, 64>;

/** The code of each row from what its lanes found. */
fn make_code(r: u32, thread: u32, lo: i32, hi: i32) {
  lows[thread] = lo;
  highs[thread] = hi;
  workgroupBarrier();
  if (thread < ROWS) {
    var least = 0;
    var most = 0;
    for (var i = 0u; i < LANES; i++) {
      least = min(least, lows[thread * LANES + i]);
      most = max(most, highs[thread * LANES + i]);
    }
    let cp = field(28u);
    let cn = field(29u);
    codes[thread] = row_code(max(row_need(most, cp, cn), row_need(least, cp, cn)));
  }
  workgroupBarrier();
}
`;

const quantizeFour = /* wgsl */ `
/** Four i16 as packed codes of their row. */
fn quantized(low: u32, high: u32, code: u32) -> u32 {
  let inverse = row_inverse(code);
  let z = field(30u);
  return pack_i8(vec4<i32>(
    row_quantize(lane_i16(low, 0u), inverse, code, z),
    row_quantize(lane_i16(low, 1u), inverse, code, z),
    row_quantize(lane_i16(high, 0u), inverse, code, z),
    row_quantize(lane_i16(high, 1u), inverse, code, z)));
}
`;

/** The maximum of each row stands where its code would. */
const geluRows = /* wgsl */ `
var<workgroup> highs: array<i32, 64>;

fn prepare(image: u32, first: u32, thread: u32) {
  let source = row_address(image, first + thread / LANES);
  var peak = -128;
  for (var w = thread % LANES; w < u32(field(8u)); w += LANES) {
    let word = arena[source + w];
    peak = max(peak, max(max(lane_i8(word, 0u), lane_i8(word, 1u)), max(lane_i8(word, 2u), lane_i8(word, 3u))));
  }
  highs[thread] = peak;
  workgroupBarrier();
  if (thread < ROWS) {
    var most = -128;
    for (var i = 0u; i < LANES; i++) { most = max(most, highs[thread * LANES + i]); }
    codes[thread] = bitcast<u32>(most);
  }
  workgroupBarrier();
}

fn fill(source: u32, r: u32, lane: u32, start: u32, count: u32) {
  let peak = bitcast<i32>(codes[r]);
  let x0 = field(28u);
  let n = field(29u);
  let at_zero = shift_exponential(-peak, x0, n);
  for (var w = lane; w < count; w += LANES) {
    let word = arena[source + start + w];
    var y = vec4<i32>();
    for (var c = 0u; c < 4u; c++) {
      let x = lane_i8(word, c);
      let gated = shift_gelu(x, shift_exponential(x - peak, x0, n), at_zero);
      y = vec4<i32>(y.yzw, scaled(gated, 4u * (start + w) + c));
    }
    tile[r * TILE + w] = pack_i8(y);
  }
}
`;

/** The plain requantize before the product. */
function scaling(narrow: boolean): string {
  const sum = narrow
    ? `clamp(scale_narrow(x, m, e) + z, -1 - field(31u), field(31u))`
    : `clamp_wide(wide_add(scale_term(x, m, e), wide_of(z)), -1 - field(31u), field(31u))`;
  return /* wgsl */ `
fn scaled(x: i32, c: u32) -> i32 {
  let m = parameter(21u, c);
  let e = u32(parameter(23u, c));
  let z = parameter(25u, c);
  return ${sum};
}
`;
}

/** Wide rows first, in a loop's body that goes on to the others. */
const fillWide = /* wgsl */ `
    if (pair_shift == 1u) {
      tile[r * TILE + w] = wide_at(source, start + w, r & 1u);
      continue;
    }`;

const fillQuantized = (wide: boolean): string => /* wgsl */ `
fn fill(source: u32, r: u32, lane: u32, start: u32, count: u32) {
  let code = codes[r];
  for (var w = lane; w < count; w += LANES) {${wide ? fillWide : ''}
    let at = source + 2u * (start + w);
    tile[r * TILE + w] = quantized(arena[at], arena[at + 1u], code);
  }
}
`;

/**
 * Capacities by channel need a division an entry. Codes up to the first that is not its own channel's are made four at a time; the
 * others' channels and slots lie behind the capacities, as 65536·slot + channel.
 */
const slotRows = (wide: boolean): string => /* wgsl */ `
var<workgroup> needs: array<u32, 64>;

fn prepare(image: u32, first: u32, thread: u32) {
  let source = row_address(image, first + ${rowOfTile('(thread / LANES)', wide)});
  let up = u32(field(28u));
  let columns = u32(field(29u));
  var need = 16u;
  for (var c = thread % LANES; c < columns; c += LANES) {
    let x = lane_i16(arena[source + (c >> 1u)], c);
    need = max(need, row_need(x, bitcast<i32>(constants[up + c]), bitcast<i32>(constants[up + columns + c])));
  }
  needs[thread] = need;
  workgroupBarrier();
  if (thread < ROWS) {
    var most = 16u;
    for (var i = 0u; i < LANES; i++) { most = max(most, needs[thread * LANES + i]); }
    codes[thread] = row_code(most);
  }
  workgroupBarrier();
}

/** Code j of a row, counted from the first that may be a slot. */
fn slotted(source: u32, j: u32, inverse: i32, code: u32) -> i32 {
  let entry = bitcast<i32>(constants[u32(field(28u)) + 2u * u32(field(29u)) + j]);
  let c = u32(entry & 0xffff);
  return row_quantize(lane_i16(arena[source + (c >> 1u)], c), inverse, code, field(30u) - 255 * (entry >> 16u));
}

fn fill(source: u32, r: u32, lane: u32, start: u32, count: u32) {
  let code = codes[r];
  let inverse = row_inverse(code);
  let own = u32(field(31u));
  for (var w = lane; w < count; w += LANES) {${wide ? fillWide : ''}
    if (start + w < own) {
      let at = source + 2u * (start + w);
      tile[r * TILE + w] = quantized(arena[at], arena[at + 1u], code);
      continue;
    }
    var y = vec4<i32>();
    for (var c = 0u; c < 4u; c++) { y = vec4<i32>(y.yzw, slotted(source, 4u * (start + w - own) + c, inverse, code)); }
    tile[r * TILE + w] = pack_i8(y);
  }
}
`;

/** `prepare(image, first, thread)`, and `fill(…)` where rows come in chunks. Needs `tile`, `codes`, `parameter` and what it needs. */
export function prologue({ kind, codes, narrow, wide, apart }: PrologueForm): string {
  const address = (wide ? wideRows : '') + rowAddress(apart);
  switch (kind) {
    case 'codes':
      return address + (codes ? readCodes : noCodes) + fillCodes;
    case 'quantize':
      return address + rows + makeCode + quantizeFour + scaleRows(wide) + fillQuantized(wide);
    case 'slots':
      return address + rows + quantizeFour + slotRows(wide);
    case 'gelu':
      return address + divide + exponential + scaling(narrow) + geluRows;
    case 'norm':
      return address + divide + norm + scaling(narrow) + normRows(false, false);
    case 'norm-quantize':
      return address + rows + divide + norm + scaling(narrow) + makeCode + quantizeFour + normRows(true, wide);
  }
}
