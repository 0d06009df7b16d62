import { elementKernel } from '../common/element-kernel.wgsl.js';
import { OWN } from '../common/record-words.js';
import { reduction, rowKernel } from '../common/row-kernel.wgsl.js';

/**
 * `D = max(16, ⌈16·max(x_c,0)/cp_c⌉, ⌈16·max(-x_c,0)/cn_c⌉)` over a row, then its code. |x| ≤ 2^15: 16·|x| ≤ 2^19.
 *
 * The result has one element a row, so the row kernel is told of rows of one and reads the real length here.
 * Words: 8 length of a row; 9, 10 first words of cp and cn; 11, 12 their steps, 0 or 1.
 */
export const ROWSCALE_LENGTH = 8;
export const ROWSCALE_CP = 9;
export const ROWSCALE_CN = 10;
export const ROWSCALE_CP_STEP = 11;
export const ROWSCALE_CN_STEP = 12;

export const rowscaleCode: string = rowKernel(/* wgsl */ `
${reduction('max', '16u', (a, b) => `max(${a}, ${b})`)}
fn survey(image: u32, row: u32, length: u32, slot: u32, thread: u32) {
  let width = u32(field(8u));
  var d = identity_max;
  for (var c = thread; c < width; c += 64u) {
    let x = load(0u, image, row * width + c);
    let up = u32(constant(u32(field(9u)) + c * u32(field(11u))));
    let down = u32(constant(u32(field(10u)) + c * u32(field(12u))));
    let bound = select(up, down, x < 0);
    // Bounds may be as large as int32; the quotient is then 1, and nothing wraps.
    let scaled = 16u * u32(abs(x));
    d = max(d, (scaled + bound - 1u) / bound);
  }
  d = reduce_max(thread, d);
  if (thread == 0u) {
    var e = u32(max(27 - i32(countLeadingZeros(d)), 0));
    var f = (d + (1u << e) - 1u) >> e;
    if (f == 32u) {
      f = 16u;
      e += 1u;
    }
    found[slot] = vec4<u32>(16u * e + f - 16u, 0u, 0u, 0u);
  }
}

fn element(image: u32, row: u32, column: u32, length: u32, slot: u32) -> i32 {
  return i32(found[slot].x);
}
`);

/** First word of the source channels, or -1; first word of the slots (int32), or -1; widths before and after; z. */
export const ROWQUANTIZE_CHANNELS: number = OWN;
export const ROWQUANTIZE_SLOT: number = OWN + 1;
export const ROWQUANTIZE_WIDTH: number = OWN + 2;
export const ROWQUANTIZE_COUNT: number = OWN + 3;
export const ROWQUANTIZE_Z: number = OWN + 4;

/**
 * `v = (x·INV[f] + 2^(14+E)) >> (15+E)`, `y = clamp_i8(v + z - 255·slot)`, `INV[f] = rne(2^19/f)` ≤ 2^15. |x·INV| ≤ 2^30 and
 * E ≤ 15, so the sum fits int32. 2·2^19 = f·(2q + …): no f of 16 … 31 leaves a tie but 16, which divides, so rounding up at one
 * half is rne. z is an int32, and v + z is formed within ±2^31 by clamping z first: v is within ±2^16, slots within ±32640.
 */
export const rowquantizeCode: string = elementKernel(/* wgsl */ `
fn element(image: u32, flat: u32) -> i32 {
  let count = u32(field(${ROWQUANTIZE_COUNT}u));
  let row = flat / count;
  let j = flat - row * count;
  var source = j;
  if (field(${ROWQUANTIZE_CHANNELS}u) >= 0) {
    source = u32(constant(u32(field(${ROWQUANTIZE_CHANNELS}u)) + j));
  }
  let x = load(0u, image, row * u32(field(${ROWQUANTIZE_WIDTH}u)) + source);
  let code = u32(load(1u, image, row));
  let f = 16u + (code & 15u);
  let inverse = (1048576u + f) / (2u * f);
  let shift = 15u + (code >> 4u);
  var y = ((x * i32(inverse) + (1 << (shift - 1u))) >> shift) + field(${ROWQUANTIZE_Z}u);
  if (field(${ROWQUANTIZE_SLOT}u) >= 0) {
    y -= 255 * constant(u32(field(${ROWQUANTIZE_SLOT}u)) + j);
  }
  return clamp(y, -128, 127);
}
`);
