/**
 * `requantize` where it vectorizes: every shift is brought to 32 or more when the program is compiled, so that the rounded
 * result is the high word of a 64-bit sum.
 *
 *   t = (x·F)·m + start       F, m: powers of two and f·2^E moved where there is room, |x·F| < 2^31, |m| < 2^31
 *   y = hi32(t)               start = z·2^32 + bias + 2^31: nearest, half up
 *   where the low word of t is 0 it was a tie, and half up is wrong if y - z is odd
 *
 * Ties are rare: a row is made without them in mind, the least low word is kept, and a row that had one is made again by
 * {@link tiedRow}. Where the shift is more than 32, y = (hi32(t) >> shift) + z, start = 2^(31+shift), and the caller has proved
 * that no numerator is a tie (its trailing zeros are too few).
 *
 * |y - z|, |z| and the addend's term are below 2^29, so |t| < 2^62 and int32 sums are exact; the saturating narrowings are the
 * clamp.
 */
import { TYPE_I8, TYPE_I16 } from '../src/record-layout';
import { copyBytes } from './operand';
import { element } from './requantize-any';

/** Four values as i32. */
// @ts-expect-error: decorator
@inline
function four<T>(x: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(x);
  if (sizeof<T>() == 2) return v128.load_ext<i16>(x);
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load_zero<i32>(x)));
}

// @ts-expect-error: decorator
@inline
function highWords(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

/** The least of `least` and the low words, unsigned. */
// @ts-expect-error: decorator
@inline
function leastLow(least: v128, a: v128, b: v128): v128 {
  return i32x4.min_u(least, v128.shuffle<i32>(a, b, 0, 2, 4, 6));
}

/** Nearest of t / 2^32, ties to even, for t that hold half already. */
// @ts-expect-error: decorator
@inline
function roundEven(low: v128, high: v128): v128 {
  const y = highWords(low, high);
  const tie = i32x4.eq(v128.shuffle<i32>(low, high, 0, 2, 4, 6), i32x4.splat(0));
  return i32x4.sub(y, v128.and(v128.and(tie, y), i32x4.splat(1)));
}

/** Stores 8 results, saturated to T. */
// @ts-expect-error: decorator
@inline
function storeEight<T>(out: usize, a: v128, b: v128): void {
  if (sizeof<T>() == 4) {
    v128.store(out, a);
    v128.store(out, b, 16);
  } else if (sizeof<T>() == 2) {
    v128.store(out, i16x8.narrow_i32x4_s(a, b));
  } else {
    const words = i16x8.narrow_i32x4_s(a, b);
    v128.store_lane<i64>(out, i8x16.narrow_i16x8_s(words, words), 0);
  }
}

/** Where the 8 columns from c go: the row itself, or the tail buffer where fewer than 8 are left. */
// @ts-expect-error: decorator
@inline
function target<T>(out: usize, c: i32, columns: i32, tail: usize): usize {
  return c + 8 <= columns ? out + c * sizeof<T>() : tail;
}

// @ts-expect-error: decorator
@inline
function finishTail<T>(out: usize, columns: i32, tail: usize): void {
  const rest = columns & 7;
  if (rest) copyBytes(out + (columns - rest) * sizeof<T>(), tail, rest * sizeof<T>());
}

/**
 * One row by m·up and start; A = void: no addend.
 *
 * @returns whether there was a tie, where `ties` says that there may be
 */
// @ts-expect-error: decorator
@inline
function scaledRow<X, Y>(
  x: usize,
  out: usize,
  columns: i32,
  m: usize,
  start: usize,
  factor: i32,
  up: i32,
  ties: bool,
  added: bool,
  add: usize,
  addM: i32,
  addFactor: i32,
  tail: usize,
): bool {
  const f = i32x4.splat(factor);
  const u = i32x4.splat(up);
  const half = i64x2.splat((1 as i64) << 31);
  const am = i32x4.splat(addM);
  const af = i32x4.splat(addFactor);
  let least = i32x4.splat(-1);
  for (let c = 0; c < columns; c += 8) {
    let a = four<X>(x + c * sizeof<X>());
    let b = four<X>(x + (c + 4) * sizeof<X>());
    if (factor != 1) {
      a = i32x4.mul(a, f);
      b = i32x4.mul(b, f);
    }
    let ma = v128.load(m + (c << 2));
    let mb = v128.load(m + (c << 2), 16);
    if (up != 1) {
      ma = i32x4.mul(ma, u);
      mb = i32x4.mul(mb, u);
    }
    const at = start + (c << 3);
    const a0 = i64x2.add(i64x2.extmul_low_i32x4_s(a, ma), v128.load(at));
    const a1 = i64x2.add(i64x2.extmul_high_i32x4_s(a, ma), v128.load(at, 16));
    const b0 = i64x2.add(i64x2.extmul_low_i32x4_s(b, mb), v128.load(at, 32));
    const b1 = i64x2.add(i64x2.extmul_high_i32x4_s(b, mb), v128.load(at, 48));
    let ya = highWords(a0, a1);
    let yb = highWords(b0, b1);
    if (ties) least = leastLow(leastLow(least, a0, a1), b0, b1);
    if (added) {
      const words = v128.load(add + (c << 1));
      const p = i32x4.mul(i32x4.extend_low_i16x8_s(words), af);
      const q = i32x4.mul(i32x4.extend_high_i16x8_s(words), af);
      const p0 = i64x2.add(i64x2.extmul_low_i32x4_s(p, am), half);
      const p1 = i64x2.add(i64x2.extmul_high_i32x4_s(p, am), half);
      const q0 = i64x2.add(i64x2.extmul_low_i32x4_s(q, am), half);
      const q1 = i64x2.add(i64x2.extmul_high_i32x4_s(q, am), half);
      ya = i32x4.add(ya, highWords(p0, p1));
      yb = i32x4.add(yb, highWords(q0, q1));
      least = leastLow(leastLow(least, p0, p1), q0, q1);
    }
    storeEight<Y>(target<Y>(out, c, columns, tail), ya, yb);
  }
  finishTail<Y>(out, columns, tail);
  return (ties || added) && !i32x4.all_true(least);
}

/** One row, shifts of more than 32. */
// @ts-expect-error: decorator
@inline
function shiftedRow<X, Y>(
  x: usize,
  out: usize,
  columns: i32,
  m: usize,
  z: usize,
  factor: i32,
  shift: i32,
  tail: usize,
): void {
  const half = i64x2.splat((1 as i64) << (31 + shift));
  const f = i32x4.splat(factor);
  for (let c = 0; c < columns; c += 8) {
    const a = i32x4.mul(four<X>(x + c * sizeof<X>()), f);
    const b = i32x4.mul(four<X>(x + (c + 4) * sizeof<X>()), f);
    const ma = v128.load(m + (c << 2));
    const mb = v128.load(m + (c << 2), 16);
    const a0 = i64x2.add(i64x2.extmul_low_i32x4_s(a, ma), half);
    const a1 = i64x2.add(i64x2.extmul_high_i32x4_s(a, ma), half);
    const b0 = i64x2.add(i64x2.extmul_low_i32x4_s(b, mb), half);
    const b1 = i64x2.add(i64x2.extmul_high_i32x4_s(b, mb), half);
    storeEight<Y>(
      target<Y>(out, c, columns, tail),
      i32x4.add(i32x4.shr_s(highWords(a0, a1), shift), v128.load(z + (c << 2))),
      i32x4.add(i32x4.shr_s(highWords(b0, b1), shift), v128.load(z + (c << 2), 16)),
    );
  }
  finishTail<Y>(out, columns, tail);
}

/** out = clamp(sum + rne(a·m / 2^32)); sum i32 with room to the next multiple of 8 columns. */
// @ts-expect-error: decorator
@inline
function addedRow<A, Y>(sum: usize, add: usize, out: usize, columns: i32, m: i32, factor: i32, tail: usize): void {
  const half = i64x2.splat((1 as i64) << 31);
  const f = i32x4.splat(factor);
  const ma = i32x4.splat(m);
  for (let c = 0; c < columns; c += 8) {
    const a = i32x4.mul(four<A>(add + c * sizeof<A>()), f);
    const b = i32x4.mul(four<A>(add + (c + 4) * sizeof<A>()), f);
    const a0 = i64x2.add(i64x2.extmul_low_i32x4_s(a, ma), half);
    const a1 = i64x2.add(i64x2.extmul_high_i32x4_s(a, ma), half);
    const b0 = i64x2.add(i64x2.extmul_low_i32x4_s(b, ma), half);
    const b1 = i64x2.add(i64x2.extmul_high_i32x4_s(b, ma), half);
    storeEight<Y>(
      target<Y>(out, c, columns, tail),
      i32x4.add(v128.load(sum + (c << 2)), roundEven(a0, a1)),
      i32x4.add(v128.load(sum + (c << 2), 16), roundEven(b0, b1)),
    );
  }
  finishTail<Y>(out, columns, tail);
}

function scaledTo<X, Y>(
  x: usize,
  out: usize,
  columns: i32,
  m: usize,
  start: usize,
  factor: i32,
  up: i32,
  ties: bool,
  tail: usize,
): bool {
  if (ties) return scaledRow<X, Y>(x, out, columns, m, start, factor, up, true, false, 0, 0, 0, tail);
  return scaledRow<X, Y>(x, out, columns, m, start, factor, up, false, false, 0, 0, 0, tail);
}

/** @returns whether there was a tie: then the row has to be made again */
export function scaledFrom<X>(
  x: usize,
  out: usize,
  type: i32,
  columns: i32,
  m: usize,
  start: usize,
  factor: i32,
  up: i32,
  ties: bool,
  tail: usize,
): bool {
  if (type == TYPE_I16) return scaledTo<X, i16>(x, out, columns, m, start, factor, up, ties, tail);
  if (type == TYPE_I8) return scaledTo<X, i8>(x, out, columns, m, start, factor, up, ties, tail);
  return scaledTo<X, i32>(x, out, columns, m, start, factor, up, ties, tail);
}

/** int32 to int16 with an int16 addend: a residual sum in one pass. */
export function residualRow(
  x: usize,
  out: usize,
  columns: i32,
  m: usize,
  start: usize,
  factor: i32,
  up: i32,
  add: usize,
  addM: i32,
  addFactor: i32,
  tail: usize,
): bool {
  return scaledRow<i32, i16>(x, out, columns, m, start, factor, up, true, true, add, addM, addFactor, tail);
}

export function shiftedFrom<X>(
  x: usize,
  out: usize,
  type: i32,
  columns: i32,
  m: usize,
  z: usize,
  factor: i32,
  shift: i32,
  tail: usize,
): void {
  if (type == TYPE_I16) shiftedRow<X, i16>(x, out, columns, m, z, factor, shift, tail);
  else if (type == TYPE_I8) shiftedRow<X, i8>(x, out, columns, m, z, factor, shift, tail);
  else shiftedRow<X, i32>(x, out, columns, m, z, factor, shift, tail);
}

export function addedFrom<A>(
  sum: usize,
  add: usize,
  out: usize,
  type: i32,
  columns: i32,
  m: i32,
  factor: i32,
  tail: usize,
): void {
  if (type == TYPE_I16) addedRow<A, i16>(sum, add, out, columns, m, factor, tail);
  else if (type == TYPE_I8) addedRow<A, i8>(sum, add, out, columns, m, factor, tail);
  else addedRow<A, i32>(sum, add, out, columns, m, factor, tail);
}

/** A row in which {@link scaledRow} met a tie, one element after the other; the same sums, and int32 or `outType` results. */
export function tiedRow(
  x: usize,
  xType: i32,
  out: usize,
  outType: i32,
  columns: i32,
  m: usize,
  start: usize,
  z: usize,
  factor: i32,
  up: i32,
): void {
  for (let c = 0; c < columns; c++) {
    const scaled = ((element(x, xType, c) as i32) * factor) as i64;
    const t = scaled * ((load<i32>(m + (c << 2)) * up) as i64) + load<i64>(start + (c << 3));
    let y = (t >> 32) as i32;
    if ((t as i32) == 0) y -= (y ^ load<i32>(z + (c << 2))) & 1;
    if (outType == TYPE_I16) store<i16>(out + (c << 1), max(-32768, min(32767, y)));
    else if (outType == TYPE_I8) store<i8>(out + c, max(-128, min(127, y)));
    else store<i32>(out + (c << 2), y);
  }
}
