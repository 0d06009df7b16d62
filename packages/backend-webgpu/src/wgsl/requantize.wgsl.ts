/**
 * Scaling, rounding and saturation of docs/spec/ivit-1.md, section 4. Needs `wide`.
 *
 * A numerator is below 2^62 and a rounded term at most 2^52 (section 8), so a term, the sum of two terms and z, and the
 * numerator plus half a divisor all fit 63 bits and a sign: nothing wraps.
 */
export const requantize = /* wgsl */ `
/** rne(p / 2^e), |p| < 2^62, 0 ≤ e ≤ 62: p + 2^(e-1) - 1 + (bit e of p), shifted; ties go to the even neighbor. */
fn rne_wide(p: vec2<u32>, e: u32) -> vec2<u32> {
  if (e == 0u) { return p; }
  let n = e - 1u;
  let below = select(vec2<u32>((1u << (n & 31u)) - 1u, 0u), vec2<u32>(0xffffffffu, (1u << (n & 31u)) - 1u), n >= 32u);
  let raised = wide_add(p, wide_add(below, vec2<u32>(wide_bit(p, e), 0u)));
  return wide_sar(raised, e);
}

/** rne(x·m / 2^e), |x·m| < 2^62. */
fn scale_term(x: i32, m: i32, e: u32) -> vec2<u32> {
  return rne_wide(wide_mul(x, m), e);
}

/** rne((x·f·m·2^E + bias·2^k) / 2^e) for a row code 16·E + f - 16: |x|·31 < 2^31 and |numerator| < 2^62. */
fn scale_row_term(x: i32, code: u32, m: i32, bias: i32, k: u32, e: u32) -> vec2<u32> {
  let scaled = wide_shl(wide_mul(x * i32(16u + (code & 15u)), m), code >> 4u);
  return rne_wide(wide_add(scaled, wide_shl(wide_of(bias), k)), e);
}

/** a limited to lo … hi. */
fn clamp_wide(a: vec2<u32>, lo: i32, hi: i32) -> i32 {
  let low = bitcast<i32>(a.x);
  let high = bitcast<i32>(a.y);
  if (high == (low >> 31u)) { return clamp(low, lo, hi); }
  return select(hi, lo, high < 0);
}
`;
