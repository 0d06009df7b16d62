/**
 * I-LayerNorm (docs/spec, `layernorm`): μ = rne(Σx/L), v = Σ(x-μ)², ten Newton steps from 2^16,
 * y = (((x-μ)·(M//k)) >> 1) + b.
 *
 * v = Σx² - 2·μ·Σx + L·μ², exact in 64 bits (Σx² ≤ 2^16·2^30). |x-μ| < 2^16 and F = M//k ≤ 2^25: their product may have 33
 * bits, and F = 2·G + g makes its half (x-μ)·G + (((x-μ)·g) >> 1), whose terms have 32; the validator bounds y.
 */
import { NORM_BIAS, NORM_COLUMNS, NORM_OUT, NORM_X, NORM_X_TYPE, TYPE_I8 } from '../src/record-layout';
import { address, copyBytes, rowStride, word } from './operand';

/** rne(a / b), b > 0. */
// @ts-expect-error: decorator
@inline
export function divideEven(a: i64, b: i64): i64 {
  let q = a / b;
  let r = a - q * b;
  if (r < 0) {
    r += b;
    q -= 1;
  }
  const twice = r << 1;
  return twice > b || (twice == b && (q & 1) != 0) ? q + 1 : q;
}

/** The k of the ten steps; a step that changes nothing ends them early, since all further ones would too. */
function deviation(v: u64): u64 {
  let k: u64 = 65536;
  for (let step = 0; step < 10; step++) {
    const next = (k + v / k) >> 1;
    if (next == k) break;
    k = next;
  }
  return k;
}

// @ts-expect-error: decorator
@inline
function eight<T>(x: usize): v128 {
  if (sizeof<T>() == 1) return v128.load_ext<i8>(x);
  return v128.load(x);
}

// @ts-expect-error: decorator
@inline
function normRow<T>(x: usize, out: usize, columns: i32, bias: usize, tail: usize): void {
  const whole = columns & ~7;
  const ones = i16x8.splat(1);
  let sums = i32x4.splat(0); // |Σ of one lane| ≤ 2^14·2^15·2 = 2^30 for 65536 columns
  let low = i64x2.splat(0);
  let high = i64x2.splat(0);
  for (let c = 0; c < whole; c += 8) {
    const v = eight<T>(x + c * sizeof<T>());
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(v, ones));
    const squares = i32x4.dot_i16x8_s(v, v); // ≤ 2^31: read as unsigned
    low = i64x2.add(low, i64x2.extend_low_i32x4_u(squares));
    high = i64x2.add(high, i64x2.extend_high_i32x4_u(squares));
  }
  low = i64x2.add(low, high);
  let sum =
    (i32x4.extract_lane(sums, 0) as i64) +
    (i32x4.extract_lane(sums, 1) as i64) +
    (i32x4.extract_lane(sums, 2) as i64) +
    (i32x4.extract_lane(sums, 3) as i64);
  let square = i64x2.extract_lane(low, 0) + i64x2.extract_lane(low, 1);
  for (let c = whole; c < columns; c++) {
    const value = load<T>(x + c * sizeof<T>()) as i64;
    sum += value;
    square += value * value;
  }
  const mean = divideEven(sum, columns as i64);
  const v = square - 2 * mean * sum + (columns as i64) * mean * mean;
  const factor = (2147483647 / deviation(v as u64)) as i32;
  const g = i32x4.splat(factor >> 1);
  const odd = i32x4.splat(-(factor & 1));
  const center = i32x4.splat(mean as i32);
  for (let c = 0; c < columns; c += 8) {
    const words = eight<T>(x + c * sizeof<T>());
    const a = i32x4.sub(i32x4.extend_low_i16x8_s(words), center);
    const b = i32x4.sub(i32x4.extend_high_i16x8_s(words), center);
    let ya = i32x4.add(i32x4.mul(a, g), v128.and(i32x4.shr_s(a, 1), odd));
    let yb = i32x4.add(i32x4.mul(b, g), v128.and(i32x4.shr_s(b, 1), odd));
    if (bias) {
      ya = i32x4.add(ya, v128.load(bias + (c << 2)));
      yb = i32x4.add(yb, v128.load(bias + (c << 2), 16));
    }
    const at = c < whole ? out + (c << 2) : tail;
    v128.store(at, ya);
    v128.store(at, yb, 16);
  }
  if (whole < columns) copyBytes(out + (whole << 2), tail, (columns - whole) << 2);
}

function normRow8(x: usize, out: usize, columns: i32, bias: usize, tail: usize): void {
  normRow<i8>(x, out, columns, bias, tail);
}

function normRow16(x: usize, out: usize, columns: i32, bias: usize, tail: usize): void {
  normRow<i16>(x, out, columns, bias, tail);
}

export function layernormStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const columns = word(record, NORM_COLUMNS);
  const bias: usize = load<u32>(record + (NORM_BIAS << 2));
  const narrow = word(record, NORM_X_TYPE) == TYPE_I8;
  let x = address(record, NORM_X, g, i0, scratch);
  let out = address(record, NORM_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    if (narrow) normRow8(x, out, columns, bias, scratch);
    else normRow16(x, out, columns, bias, scratch);
    x += rowStride(record, NORM_X);
    out += rowStride(record, NORM_OUT);
  }
}
