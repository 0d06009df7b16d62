/**
 * `requantize` where it vectorizes: every shift is brought to 32 or more when the program is compiled, so that the rounded
 * result is the high word of a 64-bit sum.
 *
 *   t = (x·F)·m + half        F, m: powers of two and f·2^E moved where there is room, |x·F| < 2^31, |m| < 2^31, |t| < 2^62
 *   y = hi32(t) >> shift      half = 2^(31+shift): nearest, half up
 *   y -= y & 1 where the low word of t is 0                  (shift = 0: it was a tie, and half up went to an odd number)
 *
 * With shift > 0 the caller has proved that no numerator is a tie (its trailing zeros are too few). In the row form
 * t = (x·f·2^E)·m + bias, half inside bias. |y| < 2^29 before z and the addend join, so int32 sums are exact; the saturating
 * narrowings are the clamp.
 */
import { TYPE_I8, TYPE_I16 } from '../src/record-layout';
import { copyBytes } from './operand';

/** Four values from column c, as i32. */
// @ts-expect-error: decorator
@inline
function four<T>(x: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(x);
  if (sizeof<T>() == 2) return v128.load_ext<i16>(x);
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load_zero<i32>(x)));
}

/** Nearest of t / 2^32, ties to even, for t that hold half already. */
// @ts-expect-error: decorator
@inline
function roundEven(low: v128, high: v128): v128 {
  const y = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
  const tie = i32x4.eq(v128.shuffle<i32>(low, high, 0, 2, 4, 6), i32x4.splat(0));
  return i32x4.sub(y, v128.and(v128.and(tie, y), i32x4.splat(1)));
}

/** Stores 8 results from column c, saturated to T. */
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

// @ts-expect-error: decorator
@inline
function plainRow<X, Y>(
  x: usize,
  out: usize,
  columns: i32,
  m: usize,
  z: usize,
  factor: i32,
  shift: i32,
  ties: bool,
  tail: usize,
): void {
  const half = i64x2.splat((1 as i64) << (31 + shift));
  const f = i32x4.splat(factor);
  for (let c = 0; c < columns; c += 8) {
    let a = four<X>(x + c * sizeof<X>());
    let b = four<X>(x + (c + 4) * sizeof<X>());
    if (sizeof<X>() < 4 || factor != 1) {
      a = i32x4.mul(a, f);
      b = i32x4.mul(b, f);
    }
    const ma = v128.load(m + (c << 2));
    const mb = v128.load(m + (c << 2), 16);
    const a0 = i64x2.add(i64x2.extmul_low_i32x4_s(a, ma), half);
    const a1 = i64x2.add(i64x2.extmul_high_i32x4_s(a, ma), half);
    const b0 = i64x2.add(i64x2.extmul_low_i32x4_s(b, mb), half);
    const b1 = i64x2.add(i64x2.extmul_high_i32x4_s(b, mb), half);
    if (ties) {
      a = roundEven(a0, a1);
      b = roundEven(b0, b1);
    } else {
      a = i32x4.shr_s(v128.shuffle<i32>(a0, a1, 1, 3, 5, 7), shift);
      b = i32x4.shr_s(v128.shuffle<i32>(b0, b1, 1, 3, 5, 7), shift);
    }
    a = i32x4.add(a, v128.load(z + (c << 2)));
    b = i32x4.add(b, v128.load(z + (c << 2), 16));
    storeEight<Y>(target<Y>(out, c, columns, tail), a, b);
  }
  finishTail<Y>(out, columns, tail);
}

/** `scaled`: m is shifted up by the power of two `up` first. */
// @ts-expect-error: decorator
@inline
function biasedRow<Y>(
  x: usize,
  out: usize,
  columns: i32,
  m: usize,
  z: usize,
  bias: usize,
  factor: i32,
  up: i32,
  scaled: bool,
  tail: usize,
): void {
  const f = i32x4.splat(factor);
  const u = i32x4.splat(up);
  for (let c = 0; c < columns; c += 8) {
    let a = i32x4.mul(v128.load(x + (c << 2)), f);
    let b = i32x4.mul(v128.load(x + (c << 2), 16), f);
    let ma = v128.load(m + (c << 2));
    let mb = v128.load(m + (c << 2), 16);
    if (scaled) {
      ma = i32x4.mul(ma, u);
      mb = i32x4.mul(mb, u);
    }
    const at = bias + (c << 3);
    const a0 = i64x2.add(i64x2.extmul_low_i32x4_s(a, ma), v128.load(at));
    const a1 = i64x2.add(i64x2.extmul_high_i32x4_s(a, ma), v128.load(at, 16));
    const b0 = i64x2.add(i64x2.extmul_low_i32x4_s(b, mb), v128.load(at, 32));
    const b1 = i64x2.add(i64x2.extmul_high_i32x4_s(b, mb), v128.load(at, 48));
    a = i32x4.add(roundEven(a0, a1), v128.load(z + (c << 2)));
    b = i32x4.add(roundEven(b0, b1), v128.load(z + (c << 2), 16));
    storeEight<Y>(target<Y>(out, c, columns, tail), a, b);
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

function plainTo<X, Y>(
  x: usize,
  out: usize,
  columns: i32,
  m: usize,
  z: usize,
  factor: i32,
  shift: i32,
  ties: bool,
  tail: usize,
): void {
  if (ties) plainRow<X, Y>(x, out, columns, m, z, factor, 0, true, tail);
  else if (shift) plainRow<X, Y>(x, out, columns, m, z, factor, shift, false, tail);
  else plainRow<X, Y>(x, out, columns, m, z, factor, 0, false, tail);
}

export function plainFrom<X>(
  x: usize,
  out: usize,
  type: i32,
  columns: i32,
  m: usize,
  z: usize,
  factor: i32,
  shift: i32,
  ties: bool,
  tail: usize,
): void {
  if (type == TYPE_I16) plainTo<X, i16>(x, out, columns, m, z, factor, shift, ties, tail);
  else if (type == TYPE_I8) plainTo<X, i8>(x, out, columns, m, z, factor, shift, ties, tail);
  else plainTo<X, i32>(x, out, columns, m, z, factor, shift, ties, tail);
}

export function biasedTo<Y>(
  x: usize,
  out: usize,
  columns: i32,
  m: usize,
  z: usize,
  bias: usize,
  factor: i32,
  up: i32,
  tail: usize,
): void {
  if (up == 1) biasedRow<Y>(x, out, columns, m, z, bias, factor, 1, false, tail);
  else biasedRow<Y>(x, out, columns, m, z, bias, factor, up, true, tail);
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
