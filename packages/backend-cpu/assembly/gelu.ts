/** `shiftgelu` by a table over (row maximum, value), `ramplookup`, `lookup`. */
import {
  GELU_COLUMNS,
  GELU_OUT,
  GELU_TABLE,
  GELU_X,
  LOOK_CHANNELS,
  LOOK_COLUMNS,
  LOOK_EACH,
  LOOK_FLIP,
  LOOK_OUT,
  LOOK_OUT_TYPE,
  LOOK_TABLE,
  LOOK_X,
  RAMP_COLUMNS,
  RAMP_LAST,
  RAMP_OUT,
  RAMP_TABLE,
  RAMP_U,
  RAMP_X,
  TYPE_I16,
} from '../src/record-layout';
import { address, rowStride, word } from './operand';

export function shiftgeluStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const columns = word(record, GELU_COLUMNS);
  const table: usize = load<u32>(record + (GELU_TABLE << 2));
  let x = address(record, GELU_X, g, i0, scratch);
  let out = address(record, GELU_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    let largest = -128;
    for (let c = 0; c < columns; c++) largest = max(largest, load<i8>(x + c) as i32);
    // Values from -128: the byte's own pattern xor 128 is the index.
    const entries = table + (((largest + 128) << 8) << 1);
    for (let c = 0; c < columns; c++) {
      store<i16>(out + (c << 1), load<i16>(entries + (((load<u8>(x + c) as usize) ^ 128) << 1)));
    }
    x += rowStride(record, GELU_X);
    out += rowStride(record, GELU_OUT);
  }
}

/** y = max(x,0)·2^u + table[min(|x|, last)], i32. Models meet it with a `requantize` behind, as ramp-map.ts. */
export function ramplookupStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const columns = word(record, RAMP_COLUMNS);
  const table: usize = load<u32>(record + (RAMP_TABLE << 2));
  const u = word(record, RAMP_U);
  const last = word(record, RAMP_LAST);
  let x = address(record, RAMP_X, g, i0, scratch);
  let out = address(record, RAMP_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < columns; c++) {
      const value: i32 = load<i16>(x + (c << 1));
      const entry: i32 = load<i16>(table + (min(abs(value), last) << 1));
      store<i32>(out + (c << 2), (max(value, 0) << u) + entry);
    }
    x += rowStride(record, RAMP_X);
    out += rowStride(record, RAMP_OUT);
  }
}

/** One table for all: a step of its own, as the pixels of every photo pass here. */
// @ts-ignore: decorator
@inline
function lookShared8(x: usize, out: usize, columns: i32, flip: i32, table: usize): void {
  for (let c = 0; c < columns; c++) store<i8>(out + c, load<i8>(table + ((load<u8>(x + c) as i32) ^ flip)));
}

/** Element c by table c modulo the number of tables. */
export function lookupStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const columns = word(record, LOOK_COLUMNS);
  const flip = word(record, LOOK_FLIP);
  const each = word(record, LOOK_EACH);
  const wide = word(record, LOOK_OUT_TYPE) == TYPE_I16;
  const tables: usize = load<u32>(record + (LOOK_TABLE << 2));
  const end = tables + word(record, LOOK_CHANNELS) * each;
  let x = address(record, LOOK_X, g, i0, scratch);
  let out = address(record, LOOK_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    let table = tables;
    if (each == 0 && !wide) lookShared8(x, out, columns, flip, tables);
    else for (let c = 0; c < columns; c++) {
      const index = (load<u8>(x + c) as i32) ^ flip;
      if (wide) store<i16>(out + (c << 1), load<i16>(table + (index << 1)));
      else store<i8>(out + c, load<i8>(table + index));
      table += each;
      if (table >= end) table = tables;
    }
    x += rowStride(record, LOOK_X);
    out += rowStride(record, LOOK_OUT);
  }
}
