/** `rowscale` and `rowquantize` (docs/spec): int16 rows to int8 at a scale f·2^(E-4) of their own. */
import {
  QUANT_CHANNELS,
  QUANT_COLUMNS,
  QUANT_OUT,
  QUANT_PLAIN,
  QUANT_ROW,
  QUANT_SLOTS,
  QUANT_X,
  QUANT_Z,
  SCALE_CN,
  SCALE_COLUMNS,
  SCALE_CP,
  SCALE_MASK,
  SCALE_OTHER_COUNT,
  SCALE_OTHERS,
  SCALE_OUT,
  SCALE_X,
} from '../src/record-layout';
import { address, copyBytes, rowStride, word } from './operand';

/** ⌈16·value / bound⌉ for 0 ≤ value ≤ 32768. */
// @ts-expect-error: decorator
@inline
function need(value: i32, bound: i32): i32 {
  const scaled = (value << 4) as u32;
  return ((scaled + (bound as u32) - 1) / (bound as u32)) as i32;
}

/** E = max(0, bitlength(D) - 5), f = ⌈D/2^E⌉, carried when f = 32; code = 16·E + f - 16. */
// @ts-expect-error: decorator
@inline
function codeOf(d: i32): i32 {
  let e = max(0, 32 - clz(d) - 5);
  let f = (d + (1 << e) - 1) >> e;
  if (f == 32) {
    f = 16;
    e += 1;
  }
  return 16 * e + f - 16;
}

/** Largest int16 of a row, its eight lanes folded. */
// @ts-expect-error: decorator
@inline
function foldMax(v: v128): i32 {
  v = i16x8.max_s(v, v128.shuffle<i64>(v, v, 1, 0));
  v = i16x8.max_s(v, v128.shuffle<i32>(v, v, 1, 0, 3, 2));
  v = i16x8.max_s(v, v128.shuffle<i16>(v, v, 1, 0, 3, 2, 5, 4, 7, 6));
  return i16x8.extract_lane_s(v, 0) as i32;
}

// @ts-expect-error: decorator
@inline
function foldMin(v: v128): i32 {
  v = i16x8.min_s(v, v128.shuffle<i64>(v, v, 1, 0));
  v = i16x8.min_s(v, v128.shuffle<i32>(v, v, 1, 0, 3, 2));
  v = i16x8.min_s(v, v128.shuffle<i16>(v, v, 1, 0, 3, 2, 5, 4, 7, 6));
  return i16x8.extract_lane_s(v, 0) as i32;
}

/** Largest of `columns` int16. */
export function rowMax16(x: usize, columns: i32): i32 {
  const whole = columns & ~7;
  let v = i16x8.splat(-32768);
  for (let c = 0; c < whole; c += 8) v = i16x8.max_s(v, v128.load(x + (c << 1)));
  let largest = foldMax(v);
  for (let c = whole; c < columns; c++) largest = max(largest, load<i16>(x + (c << 1)) as i32);
  return largest;
}

/** The D of a row's columns whose mask is -1 (the others' is 0); of all columns where there is no mask. */
// @ts-expect-error: decorator
@inline
function largestNeed(x: usize, mask: usize, columns: i32, cp: i32, cn: i32): i32 {
  const whole = columns & ~7;
  let most = i16x8.splat(0);
  let least = most;
  for (let c = 0; c < whole; c += 8) {
    let v = v128.load(x + (c << 1));
    if (mask) v = v128.and(v, v128.load(mask + (c << 1)));
    most = i16x8.max_s(most, v);
    least = i16x8.min_s(least, v);
  }
  let up = foldMax(most);
  let down = foldMin(least);
  for (let c = whole; c < columns; c++) {
    let value: i32 = load<i16>(x + (c << 1));
    if (mask) value &= load<i16>(mask + (c << 1));
    up = max(up, value);
    down = min(down, value);
  }
  return max(16, max(need(up, cp), need(-down, cn)));
}

export function rowscaleStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const columns = word(record, SCALE_COLUMNS);
  const cp = word(record, SCALE_CP);
  const cn = word(record, SCALE_CN);
  const mask: usize = load<u32>(record + (SCALE_MASK << 2));
  const others: usize = load<u32>(record + (SCALE_OTHERS << 2));
  const end = others + 12 * word(record, SCALE_OTHER_COUNT);
  let x = address(record, SCALE_X, g, i0, scratch);
  let out = address(record, SCALE_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    let d: i32;
    if (mask) {
      d = largestNeed(x, mask, columns, cp, cn);
      for (let other = others; other < end; other += 12) {
        const value: i32 = load<i16>(x + (load<i32>(other) << 1));
        d = max(d, value >= 0 ? need(value, load<i32>(other, 4)) : need(-value, load<i32>(other, 8)));
      }
    } else {
      d = largestNeed(x, 0, columns, cp, cn);
    }
    store<u8>(out, codeOf(d));
    x += rowStride(record, SCALE_X);
    out += rowStride(record, SCALE_OUT);
  }
}

/** rne(2^19 / f), f in 16 … 31; 2^20 / f has no tie (f divides no odd multiple of 2^19 but at 16, which is exact). */
// @ts-expect-error: decorator
@inline
function inverse(f: i32): i32 {
  return (((1 << 20) + f) / (2 * f)) as i32;
}

export function rowquantizeStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const columns = word(record, QUANT_COLUMNS);
  const z = word(record, QUANT_Z);
  const channels: usize = load<u32>(record + (QUANT_CHANNELS << 2));
  const slots: usize = load<u32>(record + (QUANT_SLOTS << 2));
  const plain = word(record, QUANT_PLAIN);
  const whole = plain & ~7;
  let x = address(record, QUANT_X, g, i0, scratch);
  let codes = address(record, QUANT_ROW, g, i0, scratch);
  let out = address(record, QUANT_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    const code: i32 = load<u8>(codes);
    const factor = inverse(16 + (code & 15));
    const shift = 15 + (code >> 4);
    if (plain > 0) {
      // x·factor + half as a sum of two products of int16, half = (-2^p)·(-2^q). 32768 is no int16: half of all there.
      const spare = factor == 32768 ? 1 : 0;
      const down = shift - spare;
      const p = min(15, down - 1);
      const q = down - 1 - p;
      const f = i32x4.splat((factor >> spare) | (-(1 << q) << 16));
      const up: i32 = -(1 << p);
      const one = i16x8.splat(up as i16);
      const zero = i16x8.splat(z as i16);
      for (let c = 0; c < plain; c += 8) {
        const words = v128.load(x + (c << 1));
        const low = v128.shuffle<i16>(words, one, 0, 8, 1, 9, 2, 10, 3, 11);
        const high = v128.shuffle<i16>(words, one, 4, 12, 5, 13, 6, 14, 7, 15);
        const a = i32x4.shr_s(i32x4.dot_i16x8_s(low, f), down);
        const b = i32x4.shr_s(i32x4.dot_i16x8_s(high, f), down);
        // |x·INV| ≤ 2^30: v is an int16, and the sum clamped to int16 and then to int8 is the sum clamped to int8.
        const narrow = i16x8.add_sat_s(i16x8.narrow_i32x4_s(a, b), zero);
        v128.store_lane<i64>(c < whole ? out + c : scratch, i8x16.narrow_i16x8_s(narrow, narrow), 0);
      }
      if (whole < plain) copyBytes(out + whole, scratch, plain - whole);
    }
    const half = 1 << (shift - 1);
    for (let c = plain; c < columns; c++) {
      const source = channels ? load<i32>(channels + (c << 2)) : c;
      let y = (((load<i16>(x + (source << 1)) as i32) * factor + half) >> shift) + z;
      if (slots) y -= 255 * (load<i8>(slots + c) as i32);
      store<i8>(out + c, max(-128, min(127, y)));
    }
    x += rowStride(record, QUANT_X);
    codes += rowStride(record, QUANT_ROW);
    out += rowStride(record, QUANT_OUT);
  }
}
