/** Tables. */
import { elementKernel } from '../common/element-kernel.wgsl.js';
import { OWN } from '../common/record-words.js';

/** Word of the constants at which the table begins. */
export const LOOKUP_TABLE: number = OWN;
/** Type code of its entries: i8 or i16. */
export const LOOKUP_TYPE: number = OWN + 1;
/** Tables: 1, or one for each entry of the last axis. */
export const LOOKUP_CHANNELS: number = OWN + 2;
/** Added to an element to make an index: 0 (u8) or 128 (i8). */
export const LOOKUP_BIAS: number = OWN + 3;

/** `y = table[c][x + bias]`. */
export const lookupCode: string = elementKernel(/* wgsl */ `
fn element(image: u32, flat: u32) -> i32 {
  let channel = flat % u32(field(${LOOKUP_CHANNELS}u));
  let index = channel * 256u + u32(load(0u, image, flat) + field(${LOOKUP_BIAS}u));
  let kind = field(${LOOKUP_TYPE}u);
  return unpack(constants[u32(field(${LOOKUP_TABLE}u)) + (index >> per_word_shift(kind))], index, kind);
}
`);

export const RAMP_TABLE: number = OWN;
/** Largest index of the table, whose last entry is 0. */
export const RAMP_LAST: number = OWN + 1;
export const RAMP_UP: number = OWN + 2;

/** `y = max(x,0)·2^u + table[min(|x|, D-1)]`; int16 entries, x int16: below 2^24. */
export const rampCode: string = elementKernel(/* wgsl */ `
fn element(image: u32, flat: u32) -> i32 {
  let x = load(0u, image, flat);
  let index = min(u32(abs(x)), u32(field(${RAMP_LAST}u)));
  let entry = unpack(constants[u32(field(${RAMP_TABLE}u)) + (index >> 1u)], index, 1);
  return (max(x, 0) << u32(field(${RAMP_UP}u))) + entry;
}
`);
