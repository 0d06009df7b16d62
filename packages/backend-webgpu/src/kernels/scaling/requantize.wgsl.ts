import { requantize } from '../../wgsl/requantize.wgsl.js';
import { wide } from '../../wgsl/wide.wgsl.js';
import { elementKernel } from '../common/element-kernel.wgsl.js';
import { OWN } from '../common/record-words.js';

/** First words of m, e, z in the constants, as int32, each with its step from channel to channel: 0 or 1. */
export const REQUANTIZE_M: number = OWN;
export const REQUANTIZE_E: number = OWN + 2;
export const REQUANTIZE_Z: number = OWN + 4;
/** Elements after the run of channels, and channels of the run (1 where all are scaled alike). */
export const REQUANTIZE_INNER: number = OWN + 6;
export const REQUANTIZE_RUN: number = OWN + 7;
/** First word of the source channels, or -1, and how many there are. */
export const REQUANTIZE_CHANNELS: number = OWN + 8;
export const REQUANTIZE_WIDTH: number = OWN + 9;
export const REQUANTIZE_LO: number = OWN + 10;
export const REQUANTIZE_HI: number = OWN + 11;
/** 1 where there is an addend in slot 1; its m and e. */
export const REQUANTIZE_ADDED: number = OWN + 12;
export const REQUANTIZE_ADD_M: number = OWN + 13;
export const REQUANTIZE_ADD_E: number = OWN + 14;
/** 1 where slot 2 has row codes; first word of the bias, or -1, and its shift. */
export const REQUANTIZE_ROW: number = OWN + 15;
export const REQUANTIZE_BIAS: number = OWN + 16;
export const REQUANTIZE_K: number = OWN + 17;

/**
 * `clamp(rne(x·m / 2^e) + rne(a·ma / 2^ea) + z)`, or with a row code
 * `clamp(rne((x·f·m·2^E + bias·2^k) / 2^e) + rne(a·ma / 2^ea) + z)`. Terms are at most 2^52: two of them and z are added in 64
 * bits.
 */
export const requantizeCode: string = elementKernel(/* wgsl */ `${wide}${requantize}
fn parameter(i: u32, channel: u32) -> i32 {
  return constant(u32(field(i)) + channel * u32(field(i + 1u)));
}

fn element(image: u32, flat: u32) -> i32 {
  let run = u32(field(${REQUANTIZE_RUN}u));
  let inner = u32(field(${REQUANTIZE_INNER}u));
  var outer = flat / (run * inner);
  var channel = (flat / inner) - outer * run;
  var source = flat;
  if (field(${REQUANTIZE_CHANNELS}u) >= 0) {
    let width = u32(field(${REQUANTIZE_WIDTH}u));
    outer = flat / width;
    channel = flat - outer * width;
    source = outer * run + u32(constant(u32(field(${REQUANTIZE_CHANNELS}u)) + channel));
  }
  let x = load(0u, image, source);
  let m = parameter(${REQUANTIZE_M}u, channel);
  let e = u32(parameter(${REQUANTIZE_E}u, channel));
  var sum: vec2<u32>;
  if (field(${REQUANTIZE_ROW}u) == 1) {
    let bias = u32(max(field(${REQUANTIZE_BIAS}u), 0)) + channel;
    let extra = select(0, constant(bias), field(${REQUANTIZE_BIAS}u) >= 0);
    sum = scale_row_term(x, u32(load(2u, image, outer)), m, extra, u32(field(${REQUANTIZE_K}u)), e);
  } else {
    sum = scale_term(x, m, e);
  }
  if (field(${REQUANTIZE_ADDED}u) == 1) {
    let added = load(1u, image, flat);
    sum = wide_add(sum, scale_term(added, field(${REQUANTIZE_ADD_M}u), u32(field(${REQUANTIZE_ADD_E}u))));
  }
  sum = wide_add(sum, wide_of(parameter(${REQUANTIZE_Z}u, channel)));
  return clamp_wide(sum, field(${REQUANTIZE_LO}u), field(${REQUANTIZE_HI}u));
}
`);
