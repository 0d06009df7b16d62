/**
 * `ramplookup` and the `requantize` of one multiplier behind it, as one map of int16:
 *
 *   y = map[max(-low, min(high, x)) + low]          for x ≤ high: below -low the ramp is 0 and its table's last entry too
 *   y = clamp16(rne(x·2^u·m / 2^e) + z)             for x > high: there the ramp's table is at its last entry, 0
 *
 * low, high < 2^14: twice an index has 16 bits. The map is made by the same code, before the first run.
 */
import {
  MAP_COLUMNS,
  MAP_E,
  MAP_HIGH,
  MAP_LOW,
  MAP_M,
  MAP_OUT,
  MAP_TABLE,
  MAP_TEMP,
  MAP_U,
  MAP_X,
  MAP_Z,
} from '../src/record-layout';
import { address, rowStride, word } from './operand';
import { rne } from './requantize-any';
import { lookUp } from './softmax';

/** Writes the map of a ramp's table with low + 1 entries. */
export function fillRampMap(to: usize, table: usize, low: i32, high: i32, u: i32, m: i32, e: i32, z: i32): void {
  for (let value = -low; value <= high; value++) {
    const ramp = (max(value, 0) << u) + (load<i16>(table + (min(abs(value), low) << 1)) as i32);
    const y = rne((ramp as i64) * (m as i64), e as i64) + (z as i64);
    store<i16>(to, max<i64>(-32768, min<i64>(32767, y)) as i16);
    to += 2;
  }
}

export function rampMapStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const columns = word(record, MAP_COLUMNS);
  const whole = columns & ~7;
  const table: usize = load<u32>(record + (MAP_TABLE << 2));
  const low = i16x8.splat(word(record, MAP_LOW) as i16);
  const least = i16x8.neg(low);
  const high = word(record, MAP_HIGH);
  const most = i16x8.splat(high as i16);
  const u = word(record, MAP_U) as i64;
  const m = word(record, MAP_M) as i64;
  const e = word(record, MAP_E) as i64;
  const z = word(record, MAP_Z) as i64;
  const offsets = scratch + word(record, MAP_TEMP);
  let x = address(record, MAP_X, g, i0, scratch);
  let out = address(record, MAP_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    let beyond = i16x8.splat(0);
    for (let c = 0; c < columns; c += 8) {
      const words = v128.load(x + (c << 1));
      beyond = v128.or(beyond, i16x8.gt_s(words, most));
      const index = i16x8.add(i16x8.min_s(i16x8.max_s(words, least), most), low);
      v128.store(offsets + (c << 1), i16x8.add(index, index));
    }
    lookUp(out, offsets, whole, table);
    for (let c = whole; c < columns; c++) {
      store<i16>(out + (c << 1), load<i16>(table + (load<u16>(offsets + (c << 1)) as usize)));
    }
    if (v128.any_true(beyond)) {
      for (let c = 0; c < columns; c++) {
        const value: i32 = load<i16>(x + (c << 1));
        if (value <= high) continue;
        const y = rne(((value as i64) << u) * m, e) + z;
        store<i16>(out + (c << 1), max<i64>(-32768, min<i64>(32767, y)) as i16);
      }
    }
    x += rowStride(record, MAP_X);
    out += rowStride(record, MAP_OUT);
  }
}
