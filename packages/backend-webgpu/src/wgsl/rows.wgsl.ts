/** Row scales of docs/spec/ivit-1.md, section 4: `rowscale` and `rowquantize`. */
export const rows = /* wgsl */ `
/** ⌈16·|x| / capacity of its side⌉, |x| ≤ 32768, capacities ≥ 7. */
fn row_need(x: i32, cp: i32, cn: i32) -> u32 {
  let capacity = u32(select(cp, cn, x < 0));
  return (16u * u32(abs(x)) + capacity - 1u) / capacity;
}

/** 16·E + f - 16 of the largest need, at most 74899. */
fn row_code(largest: u32) -> u32 {
  let need = max(16u, largest);
  var e = max(firstLeadingBit(need), 4u) - 4u;
  var f = (need + (1u << e) - 1u) >> e;
  if (f == 32u) {
    f = 16u;
    e += 1u;
  }
  return 16u * e + f - 16u;
}

/** rne(2^19 / f) of a row code. */
fn row_inverse(code: u32) -> i32 {
  let f = 16u + (code & 15u);
  let q = 524288u / f;
  let rest = 2u * (524288u - q * f);
  return i32(select(q, q + 1u, rest > f || (rest == f && (q & 1u) == 1u)));
}

/** clamp_i8(((x·inverse + 2^(14+E)) >> (15+E)) + offset): |x·inverse| ≤ 2^30 and 2^(14+E) ≤ 2^29 for E ≤ 15. */
fn row_quantize(x: i32, inverse: i32, code: u32, offset: i32) -> i32 {
  let shift = 15u + (code >> 4u);
  return clamp(((x * inverse + (1 << (shift - 1u))) >> shift) + offset, -128, 127);
}
`;
