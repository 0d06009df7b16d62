/**
 * `softmax` (docs/spec), all three exponentials as a table over the distance d from the row's maximum; the table's last entry
 * holds for every larger d.
 *
 *   shift, table: S = min(ΣE, M), f = M // S, y = min((E·f) >> (32-bits), 2^(bits-1)-1)     E·f ≤ M, or f = 1 where S clamped
 *   pow2: E ≤ 2^15 in u16, S = ΣE, h = max(0, bitlength(S)-16), r = M // (S >> h) ≤ 2^16,
 *         y = min((E·r + 2^(31-bits+h)) >> (32-bits+h), 2^(bits-1)-1)                      E·r ≤ 2^31, the sum below 2^32
 *
 * A shift of 32 or more (pow2 of 8 bits, h ≥ 8) gives 0: the sum is below 2^(32-bits+h).
 */
import {
  SOFT_BITS,
  SOFT_COLUMNS,
  SOFT_LAST,
  SOFT_LOG2,
  SOFT_OUT,
  SOFT_POW2,
  SOFT_TABLE,
  SOFT_TEMP,
  SOFT_X,
  SOFT_X_TYPE,
  TYPE_I8,
} from '../src/record-layout';
import { address, copyBytes, rowStride, word } from './operand';
import { rowMax16 } from './row-scale';

const M: u32 = 2147483647;

/** Widens an int8 row in place of a copy; returns where the int16 row is. */
function widen(x: usize, to: usize, columns: i32): usize {
  for (let c = 0; c < columns; c += 8) v128.store(to + (c << 1), v128.load_ext<i8>(x + c));
  return to;
}

/** Puts the 16-bit entries at `count` 16-bit byte offsets into a table, rounded up to a multiple of eight, to `out`. */
export function lookUp(out: usize, offsets: usize, count: i32, table: usize): void {
  const end = offsets + (count << 1);
  while (offsets < end) {
    store<u16>(out, load<u16>(table + (load<u16>(offsets) as usize)));
    store<u16>(out, load<u16>(table + (load<u16>(offsets, 2) as usize)), 2);
    store<u16>(out, load<u16>(table + (load<u16>(offsets, 4) as usize)), 4);
    store<u16>(out, load<u16>(table + (load<u16>(offsets, 6) as usize)), 6);
    store<u16>(out, load<u16>(table + (load<u16>(offsets, 8) as usize)), 8);
    store<u16>(out, load<u16>(table + (load<u16>(offsets, 10) as usize)), 10);
    store<u16>(out, load<u16>(table + (load<u16>(offsets, 12) as usize)), 12);
    store<u16>(out, load<u16>(table + (load<u16>(offsets, 14) as usize)), 14);
    offsets += 16;
    out += 16;
  }
}

/** Stores 8 probabilities (0 … 2^31-1 as i32) clamped to int16 or int8. */
// @ts-expect-error: decorator
@inline
function storeProbabilities(out: usize, a: v128, b: v128, bits: i32): void {
  const words = i16x8.narrow_i32x4_s(a, b);
  if (bits == 16) v128.store(out, words);
  else v128.store_lane<i64>(out, i8x16.narrow_i16x8_s(words, words), 0);
}

function pow2Row(x: usize, out: usize, columns: i32, bits: i32, table: usize, last: i32, e: usize, tail: usize): void {
  const whole = columns & ~7;
  const largest = rowMax16(x, columns);
  const top = i16x8.splat(largest as i16);
  const limit = i16x8.splat(last as i16);
  for (let c = 0; c < columns; c += 8) {
    // The distance of two int16 has 16 bits: unsigned from here. At most 32·2^8 entries: twice the index has 16 bits, too.
    const index = i16x8.min_u(i16x8.sub(top, v128.load(x + (c << 1))), limit);
    v128.store(e + (c << 1), i16x8.add(index, index));
  }
  lookUp(e, e, columns, table);
  let sums = i32x4.splat(0);
  for (let c = 0; c < whole; c += 8) sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(v128.load(e + (c << 1))));
  let s =
    (i32x4.extract_lane(sums, 0) as u32) +
    (i32x4.extract_lane(sums, 1) as u32) +
    (i32x4.extract_lane(sums, 2) as u32) +
    (i32x4.extract_lane(sums, 3) as u32);
  for (let c = whole; c < columns; c++) s += load<u16>(e + (c << 1)) as u32;
  const h: i32 = max(0, 16 - (clz(s) as i32));
  const r = M / (s >> (h as u32));
  const shift = 32 - bits + h;
  const scale = i32x4.splat(r as i32);
  const half = i32x4.splat((1 << (shift - 1)) as i32);
  for (let c = 0; c < columns; c += 8) {
    const entries = v128.load(e + (c << 1));
    let a = i32x4.splat(0);
    let b = i32x4.splat(0);
    if (shift < 32) {
      a = i32x4.shr_u(i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_u(entries), scale), half), shift);
      b = i32x4.shr_u(i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_u(entries), scale), half), shift);
    }
    storeProbabilities(c < whole ? out + c * (bits >> 3) : tail, a, b, bits);
  }
  if (whole < columns) copyBytes(out + whole * (bits >> 3), tail, (columns - whole) * (bits >> 3));
}

function tableRow(x: usize, out: usize, columns: i32, bits: i32, table: usize, last: i32, e: usize, tail: usize): void {
  const whole = columns & ~7;
  const largest = rowMax16(x, columns);
  let sum: u64 = 0;
  for (let c = 0; c < columns; c++) {
    const d = largest - (load<i16>(x + (c << 1)) as i32);
    const entry = load<i32>(table + (min(d, last) << 2));
    store<i32>(e + (c << 2), entry);
    sum += entry as u64;
  }
  const s: u32 = sum > (M as u64) ? M : (sum as u32);
  const f = i32x4.splat((M / s) as i32);
  const shift = 32 - bits;
  for (let c = 0; c < columns; c += 8) {
    const a = i32x4.shr_u(i32x4.mul(v128.load(e + (c << 2)), f), shift);
    const b = i32x4.shr_u(i32x4.mul(v128.load(e + (c << 2), 16), f), shift);
    storeProbabilities(c < whole ? out + c * (bits >> 3) : tail, a, b, bits);
  }
  if (whole < columns) copyBytes(out + whole * (bits >> 3), tail, (columns - whole) * (bits >> 3));
}

/**
 * Log2 codes (docs/spec, ivit/1.1). With r = rne(S/E), the code is at least c + 1 where r ≥ 1.5·2^c, that is 2·S ≥ 3·E for c = 0,
 * 2·S > 5·E for c = 1 (S/E = 2.5 rounds to 2) and 2·S ≥ (3·2^c - 1)·E beyond (the half below an even number rounds up to it).
 * So each row has 15 thresholds on E, and a code is how many of them E does not pass. E < 2^31, S < 2^31.
 */
function log2Row(x: usize, out: usize, columns: i32, pow2: bool, table: usize, last: i32, e: usize): void {
  const largest = rowMax16(x, columns);
  let sum: u64 = 0;
  for (let c = 0; c < columns; c++) {
    const d = min(largest - (load<i16>(x + (c << 1)) as i32), last);
    const entry: u32 = pow2 ? (load<u16>(table + (d << 1)) as u32) : load<u32>(table + (d << 2));
    store<u32>(e + (c << 2), entry);
    sum += entry as u64;
  }
  const twice = 2 * sum;
  const t0 = i32x4.splat((twice / 3) as i32);
  const t1 = i32x4.splat(((twice - 1) / 5) as i32);
  for (let c = 0; c < columns; c += 4) {
    const entries = v128.load(e + (c << 2));
    let codes = i32x4.add(i32x4.le_s(entries, t0), i32x4.le_s(entries, t1));
    for (let bit = 2; bit < 15; bit++) {
      const t = i32x4.splat((twice / ((3 << bit) - 1)) as i32);
      codes = i32x4.add(codes, i32x4.le_s(entries, t));
    }
    v128.store(e + (c << 2), i32x4.neg(codes));
  }
  for (let c = 0; c < columns; c++) store<u8>(out + c, load<u32>(e + (c << 2)) as u8);
}

export function softmaxStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const columns = word(record, SOFT_COLUMNS);
  const bits = word(record, SOFT_BITS);
  const table: usize = load<u32>(record + (SOFT_TABLE << 2));
  const last = word(record, SOFT_LAST);
  const pow2 = word(record, SOFT_POW2) != 0;
  const log2 = word(record, SOFT_LOG2) != 0;
  const narrow = word(record, SOFT_X_TYPE) == TYPE_I8;
  const e = scratch + word(record, SOFT_TEMP);
  const wide = e + ((columns + 7) & ~7) * 4;
  let x = address(record, SOFT_X, g, i0, scratch);
  let out = address(record, SOFT_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    const row = narrow ? widen(x, wide, columns) : x;
    if (log2) log2Row(row, out, columns, pow2, table, last, e);
    else if (pow2) pow2Row(row, out, columns, bits, table, last, e, scratch);
    else tableRow(row, out, columns, bits, table, last, e, scratch);
    x += rowStride(record, SOFT_X);
    out += rowStride(record, SOFT_OUT);
  }
}
