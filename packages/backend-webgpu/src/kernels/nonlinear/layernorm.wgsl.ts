import { reduction, rowKernel } from '../common/row-kernel.wgsl.js';

/**
 * `μ = rne(Σx/L)`, `v = Σ(x-μ)²`, k = 2^16, ten times `k = (k + v // k) >> 1`, `y = (((x-μ)·(M // k)) >> 1) + b`; x int8 or int16,
 * L ≤ 65536.
 *
 * Σx is within int32 (32768·65536 = 2^31, reached below only). |x-μ| ≤ 65535, so a square fits u32 and v stays below 2^48: it is
 * summed in two words. v // 2^16 < 2^32, and after the first step k ≥ √v, so every quotient fits u32; k + v // k may not, and is
 * halved term by term. With f = M // k = 2h + r the product is `(x-μ)·h + (((x-μ)·r) >> 1)`, within 1.02·2^30 by the spec's bound.
 * Words: 8 first word of b, or -1.
 */
export const LAYERNORM_BIAS = 8;

export const layernormCode: string = rowKernel(/* wgsl */ `
${reduction('sum', '0u', (a, b) => `${a} + ${b}`)}
/** High words of the sum of squares. */
var<workgroup> highs: array<u32, 64>;

/** floor(v / k) for v = high·2^32 + low with high < k. */
fn divide(high: u32, low: u32, k: u32) -> u32 {
  var rest = high;
  var quotient = 0u;
  for (var i = 0u; i < 32u; i += 1u) {
    let carry = rest >> 31u;
    rest = (rest << 1u) | ((low >> (31u - i)) & 1u);
    quotient <<= 1u;
    if (carry == 1u || rest >= k) {
      rest -= k;
      quotient |= 1u;
    }
  }
  return quotient;
}

/** rne(sum / n), n ≥ 1. */
fn mean_of(sum: i32, n: i32) -> i32 {
  var q = sum / n;
  var rest = sum - q * n;
  if (rest < 0) {
    q -= 1;
    rest += n;
  }
  let other = n - rest;
  if (rest > other || (rest == other && (q & 1) == 1)) {
    q += 1;
  }
  return q;
}

fn survey(image: u32, row: u32, length: u32, slot: u32, thread: u32) {
  var sum = identity_sum;
  for (var i = thread; i < length; i += 64u) {
    sum += bitcast<u32>(load(0u, image, row * length + i));
  }
  let mean = mean_of(bitcast<i32>(reduce_sum(thread, sum)), i32(length));
  var low = 0u;
  var high = 0u;
  for (var i = thread; i < length; i += 64u) {
    let d = u32(abs(load(0u, image, row * length + i) - mean));
    let square = d * d;
    low += square;
    high += select(0u, 1u, low < square);
  }
  lanes[thread] = low;
  highs[thread] = high;
  workgroupBarrier();
  if (thread == 0u) {
    low = 0u;
    high = 0u;
    for (var i = 0u; i < 64u; i += 1u) {
      low += lanes[i];
      high += highs[i] + select(0u, 1u, low < lanes[i]);
    }
    var k = 65536u;
    for (var step = 0u; step < 10u; step += 1u) {
      let quotient = divide(high, low, k);
      k = (k >> 1u) + (quotient >> 1u) + (k & quotient & 1u);
    }
    found[slot] = vec4<u32>(bitcast<u32>(mean), 0x7fffffffu / k, 0u, 0u);
  }
  workgroupBarrier();
}

fn element(image: u32, row: u32, column: u32, length: u32, slot: u32) -> i32 {
  let d = load(0u, image, row * length + column) - bitcast<i32>(found[slot].x);
  let factor = i32(found[slot].y);
  let y = d * (factor >> 1u) + ((d * (factor & 1)) >> 1u);
  let bias = field(8u);
  if (bias < 0) {
    return y;
  }
  return y + constant(u32(bias) + column);
}
`);
