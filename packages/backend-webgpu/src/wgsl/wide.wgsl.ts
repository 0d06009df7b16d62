/**
 * 64-bit integers as two u32 words, x the low and y the high one, two's complement. WGSL has none, its sums and products wrap
 * at 32 bits, and it takes run-time shift counts modulo 32: no count of 32 or more reaches a shift here.
 *
 * The four partial products of `wide_umul`: with all halves below 2^16, `a1·b0 + (low >> 16)` and `a0·b1 + (mid & 0xffff)` are
 * at most (2^16 - 1)^2 + 2^16 - 1 < 2^32, so nothing wraps but a·b, which is meant to.
 */
export const wide = /* wgsl */ `
fn wide_umul(a: u32, b: u32) -> vec2<u32> {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let mid = a1 * b0 + ((a0 * b0) >> 16u);
  let carry = a0 * b1 + (mid & 0xffffu);
  return vec2<u32>(a * b, a1 * b1 + (mid >> 16u) + (carry >> 16u));
}

/** a·b of signed words: an unsigned product reads a negative word 2^32 too large. */
fn wide_mul(a: i32, b: i32) -> vec2<u32> {
  let p = wide_umul(bitcast<u32>(a), bitcast<u32>(b));
  return vec2<u32>(p.x, p.y - select(0u, bitcast<u32>(b), a < 0) - select(0u, bitcast<u32>(a), b < 0));
}

fn wide_of(a: i32) -> vec2<u32> {
  return vec2<u32>(bitcast<u32>(a), bitcast<u32>(a >> 31u));
}

fn wide_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < b.x));
}

/** a·2^n, 0 ≤ n ≤ 63; bits above 63 are lost. */
fn wide_shl(a: vec2<u32>, n: u32) -> vec2<u32> {
  if (n == 0u) { return a; }
  if (n >= 32u) { return vec2<u32>(0u, a.x << (n - 32u)); }
  return vec2<u32>(a.x << n, (a.y << n) | (a.x >> (32u - n)));
}

/** floor(a / 2^n) of a signed a, 0 ≤ n ≤ 63. */
fn wide_sar(a: vec2<u32>, n: u32) -> vec2<u32> {
  let high = bitcast<i32>(a.y);
  if (n == 0u) { return a; }
  if (n >= 32u) { return vec2<u32>(bitcast<u32>(high >> (n - 32u)), bitcast<u32>(high >> 31u)); }
  return vec2<u32>((a.x >> n) | (a.y << (32u - n)), bitcast<u32>(high >> n));
}

/** Bit n of a, 0 ≤ n ≤ 63. */
fn wide_bit(a: vec2<u32>, n: u32) -> u32 {
  return (select(a.x, a.y, n >= 32u) >> (n & 31u)) & 1u;
}
`;
