/**
 * `requantize` in every form the op has, one element at a time in 64 bits:
 *
 *   y = clamp( rne(numerator / 2^e[j]) + rne(a·ma / 2^ea) + z[j] ),  numerator = x[channels[j]]·m[j]
 *                                                          or (x·f·m[j])·2^E + bias[j]·2^k
 *
 * The validator bounds every numerator by 2^62 and every rounded term by 2^52.
 */
import {
  ANY_ADD,
  ANY_ADD_E,
  ANY_ADD_M,
  ANY_ADD_TYPE,
  ANY_BIAS,
  ANY_CHANNELS,
  ANY_COLUMNS,
  ANY_DIVIDE,
  ANY_E,
  ANY_K,
  ANY_M,
  ANY_OUT,
  ANY_OUT_TYPE,
  ANY_PERIOD,
  ANY_ROW,
  ANY_ROW_G,
  ANY_ROW_I,
  ANY_ROW_TYPE,
  ANY_STRIDE,
  ANY_X,
  ANY_X_TYPE,
  ANY_Z,
  TYPE_I8,
  TYPE_I16,
  TYPE_I32,
  TYPE_NONE,
  TYPE_U8,
} from '../src/record-layout';
import { address, rowStride, word } from './operand';

/** Element `index` of a row of any dtype. */
// @ts-expect-error: decorator
@inline
export function element(row: usize, type: i32, index: i32): i64 {
  if (type == TYPE_I32) return load<i32>(row + (index << 2)) as i64;
  if (type == TYPE_I16) return load<i16>(row + (index << 1)) as i64;
  if (type == TYPE_I8) return load<i8>(row + index) as i64;
  return load<u8>(row + index) as i64;
}

// @ts-expect-error: decorator
@inline
export function rne(p: i64, e: i64): i64 {
  if (e == 0) return p;
  return (p + (((1 as i64) << (e - 1)) - 1) + ((p >> e) & 1)) >> e;
}

/** One row; the addresses are the row's own, `index` is its number in the parameters' order. */
export function requantizeAnyRow(record: usize, x: usize, out: usize, add: usize, code: usize, index: i32): void {
  const columns = word(record, ANY_COLUMNS);
  const xType = word(record, ANY_X_TYPE);
  const outType = word(record, ANY_OUT_TYPE);
  const addType = word(record, ANY_ADD_TYPE);
  const addM = word(record, ANY_ADD_M) as i64;
  const addE = word(record, ANY_ADD_E) as i64;
  const channels: usize = load<u32>(record + (ANY_CHANNELS << 2));
  const bias: usize = load<u32>(record + (ANY_BIAS << 2));
  const k = word(record, ANY_K) as i64;
  const shift = ((index / word(record, ANY_DIVIDE)) % word(record, ANY_PERIOD)) * word(record, ANY_STRIDE);
  const m = word(record, ANY_M) + shift;
  const e = word(record, ANY_E) + shift;
  const z = word(record, ANY_Z) + shift;
  let factor: i64 = 1;
  let exponent: i64 = 0;
  if (word(record, ANY_ROW_TYPE) == TYPE_U8) {
    const scale: i32 = load<u8>(code);
    factor = (16 + (scale & 15)) as i64;
    exponent = (scale >> 4) as i64;
  }
  let lo: i64 = i32.MIN_VALUE;
  let hi: i64 = i32.MAX_VALUE;
  if (outType == TYPE_I16) {
    lo = -32768;
    hi = 32767;
  } else if (outType == TYPE_I8) {
    lo = -128;
    hi = 127;
  }
  for (let j = 0; j < columns; j++) {
    const source = channels ? load<i32>(channels + (j << 2)) : j;
    let p = (element(x, xType, source) * factor * (load<i32>(m + (j << 2)) as i64)) << exponent;
    if (bias) p += (load<i32>(bias + (j << 2)) as i64) << k;
    let y = rne(p, load<i32>(e + (j << 2)) as i64) + (load<i32>(z + (j << 2)) as i64);
    if (addType != TYPE_NONE) y += rne(element(add, addType, j) * addM, addE);
    y = max(lo, min(hi, y));
    if (outType == TYPE_I32) store<i32>(out + (j << 2), y as i32);
    else if (outType == TYPE_I16) store<i16>(out + (j << 1), y as i16);
    else store<i8>(out + j, y as i8);
  }
}

export function requantizeAnyStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  let x = address(record, ANY_X, g, i0, scratch);
  let out = address(record, ANY_OUT, g, i0, scratch);
  let add = address(record, ANY_ADD, g, i0, scratch);
  let code = address(record, ANY_ROW, g, i0, scratch);
  let row = g * word(record, ANY_ROW_G) + i0 * word(record, ANY_ROW_I);
  for (let i = 0; i < n; i++) {
    requantizeAnyRow(record, x, out, add, code, row);
    x += rowStride(record, ANY_X);
    out += rowStride(record, ANY_OUT);
    add += rowStride(record, ANY_ADD);
    code += rowStride(record, ANY_ROW);
    row += word(record, ANY_ROW_I);
  }
}
