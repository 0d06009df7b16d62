/**
 * Exact divisions. WGSL's \`/\` truncates, gives x for x/0 and INT_MIN for INT_MIN/-1; divisors here are never 0, and
 * no signed divisor is -1 where the dividend can be INT_MIN.
 */
export const divide = /* wgsl */ `
/** floor(a / b), b ≠ 0, not -2^31 by -1. */
fn div_floor(a: i32, b: i32) -> i32 {
  let q = a / b;
  return select(q, q - 1, q * b != a && ((a < 0) != (b < 0)));
}

/** rne(a / b), 0 < b < 2^30. */
fn div_rne(a: i32, b: i32) -> i32 {
  let q = div_floor(a, b);
  let twice = (a - q * b) * 2;
  return select(q, q + 1, twice > b || (twice == b && (q & 1) == 1));
}

/**
 * floor(v / k) of a 64-bit v, v.y < k: two digits of 16 bits, as in Knuth's algorithm D. The divisor is shifted until its top
 * bit is set; a digit estimated from its upper half is then at most 2 too large.
 */
fn div_wide(v: vec2<u32>, k: u32) -> u32 {
  if (v.y == 0u) { return v.x / k; }
  let s = countLeadingZeros(k);
  let d = k << s;
  let top = select(v.y, (v.y << s) | (v.x >> ((32u - s) & 31u)), s > 0u);
  let low = v.x << s;
  let d1 = d >> 16u;
  let d0 = d & 0xffffu;
  let q1 = wide_digit(top, low >> 16u, d1, d0);
  let rest = ((top << 16u) | (low >> 16u)) - q1 * d;
  let q0 = wide_digit(rest, low & 0xffffu, d1, d0);
  return (q1 << 16u) | q0;
}

/** rne(a / n) of a signed 64-bit a, |a| ≤ n·2^31, 1 ≤ n < 2^31: rounding to even is the same for either sign. */
fn div_rne_wide(a: vec2<u32>, n: u32) -> i32 {
  let negative = bitcast<i32>(a.y) < 0;
  let size = select(a, vec2<u32>(~a.x + 1u, ~a.y + select(0u, 1u, a.x == 0u)), negative);
  // |a| // 2^32 ≤ n / 2 < n, except where |a| = 2^31 and n = 1, whose high word is 0.
  let q = div_wide(size, n);
  let rest = 2u * (size.x - q * n);
  let rounded = select(q, q + 1u, rest > n || (rest == n && (q & 1u) == 1u));
  return bitcast<i32>(select(rounded, ~rounded + 1u, negative));
}

/** floor((top·2^16 + next) / (d1·2^16 + d0)) for top below the divisor, d1 ≥ 2^15. */
fn wide_digit(top: u32, next: u32, d1: u32, d0: u32) -> u32 {
  var q = top / d1;
  var r = top - q * d1;
  // r < 2^16 keeps both sides of the comparison below 2^32 wherever it still matters: q ≤ 2^16 and q·d0 < 2^32.
  for (var step = 0u; step < 2u; step++) {
    if (r < 0x10000u && (q > 0xffffu || q * d0 > ((r << 16u) | next))) {
      q--;
      r += d1;
    }
  }
  return q;
}
`;
