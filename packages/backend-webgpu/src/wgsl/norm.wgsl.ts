/**
 * The integer layer norm of docs/spec/ivit-1.md, section 6. Needs `wide` and `divide`.
 *
 * Rows hold at most 65536 entries of 16 bits: |Σx| ≤ 2^31 (μ = div_rne(Σx, L)), |x - μ| < 2^16, (x - μ)^2 < 2^32, v < 2^47. The first quotient
 * v // 2^16 is below 2^31, and by AM-GM every k after it is at least floor(√v), so v // k < 2^25 and k's sums fit u32.
 */
export const norm = /* wgsl */ `
/** v + x^2 for |x| < 2^16. */
fn norm_add_square(v: vec2<u32>, x: i32) -> vec2<u32> {
  let size = u32(abs(x));
  let low = v.x + size * size;
  return vec2<u32>(low, v.y + select(0u, 1u, low < v.x));
}

/** M // k after ten Newton steps k = (k + v // k) >> 1 from 2^16. */
fn norm_factor(v: vec2<u32>) -> i32 {
  var k = 65536u;
  for (var step = 0u; step < 10u; step++) { k = (k + div_wide(v, k)) >> 1u; }
  return i32(0x7fffffffu / k);
}

/** ((x - μ)·factor) >> 1: a product of 33 bits. */
fn norm_scale(centered: i32, factor: i32) -> i32 {
  return bitcast<i32>(wide_sar(wide_mul(centered, factor), 1u).x);
}
`;
