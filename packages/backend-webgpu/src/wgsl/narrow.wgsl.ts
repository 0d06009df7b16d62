/**
 * Scaling where all shifts are 1 … 32 and each rounded term is known to stay within 2^29, so that two of them and a z within 2^29
 * add up in an i32: about half the instructions of the wide form. Needs `wide`.
 */
export const narrow = /* wgsl */ `
/** rne(p / 2^e), 1 ≤ e ≤ 32, |p| ≤ 2^(e+29). The shifts are 0 … 31 each. */
fn rne_narrow(p: vec2<u32>, e: u32) -> i32 {
  let s = 32u - e;
  let r = (p.y << s) | ((p.x >> 1u) >> (31u - s));
  let rest = p.x << s;
  return bitcast<i32>(r + select(0u, 1u, rest > 0x80000000u || (rest == 0x80000000u && (r & 1u) == 1u)));
}

fn scale_narrow(x: i32, m: i32, e: u32) -> i32 {
  return rne_narrow(wide_mul(x, m), e);
}

/** As scale_row_term. */
fn scale_row_narrow(x: i32, code: u32, m: i32, bias: i32, k: u32, e: u32) -> i32 {
  let scaled = wide_shl(wide_mul(x * i32(16u + (code & 15u)), m), code >> 4u);
  return rne_narrow(wide_add(scaled, wide_shl(wide_of(bias), k)), e);
}
`;
