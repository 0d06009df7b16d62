/**
 * The integer exponentials of docs/spec/ivit-1.md, section 6, and ivit-1.1. Needs `divide`.
 *
 * E ≤ M everywhere: softmax's by the validator's proof (E(0) ≤ M), shiftgelu's second one by saturation. All sums saturate at M;
 * as terms are not negative, the order of a saturating sum does not matter.
 */
export const exponential = /* wgsl */ `
const MOST: u32 = 0x7fffffffu;

/** min(sexp(x; x0, n), M) for x0 < 0, |x| ≤ 65535 and |x0·n| < 2^31. A positive x has q < 0 and may need a shift beyond 31. */
fn shift_exponential(x: i32, x0: i32, n: i32) -> u32 {
  let t = max(x + (x >> 1u) - (x >> 4u), n * x0);
  let q = div_floor(t, x0);
  let r = t - x0 * q;
  if (q >= n) { return u32(-x0); }
  let mantissa = u32(r - 2 * x0);
  let shift = n - q - 1;
  if (shift > 31) { return MOST; }
  let most = MOST >> u32(shift);
  return select(mantissa << u32(shift), MOST, mantissa > most);
}

/** min(a + b, M) for a, b ≤ M. */
fn saturating_sum(a: u32, b: u32) -> u32 {
  return min(a + b, MOST);
}

/** Index into T and shift of the exponential of a distance d ≥ 0 in units of 2^-octave: E = T[x] >> y, or 0 where y > 31. */
fn pow2_parts(d: u32, octave: u32) -> vec2<u32> {
  let i = (d + (1u << octave) - 1u) >> octave;
  return vec2<u32>((i << octave) - d, i);
}

fn pow2_shifted(entry: u32, shift: u32) -> u32 {
  return select(entry >> (shift & 31u), 0u, shift > 31u);
}

/** Probability of a shift or table exponential e under the saturated sum: factor = M // S; e·factor ≤ M unless S saturated. */
fn probability(e: u32, factor: u32, bits: u32) -> i32 {
  // S ≥ e, saturated or not, so e·(M // S) ≤ M: no wrap.
  return i32(min((e * factor) >> (32u - bits), (1u << (bits - 1u)) - 1u));
}

/** x: M // (S >> h), y: h = max(0, bitlength(S) - 16), for 2^15 ≤ S ≤ 2^31. */
fn pow2_factor(sum: u32) -> vec2<u32> {
  let h = u32(max(0, 16 - i32(countLeadingZeros(sum))));
  return vec2<u32>(MOST / (sum >> h), h);
}

/**
 * Probability of a pow2 exponential e ≤ 2^15: e·r < 2^31, plus half a unit of at most 2^31. From a shift of 32 on the
 * result is 0, as the sum is below the unit.
 */
fn pow2_probability(e: u32, factor: vec2<u32>, bits: u32) -> i32 {
  let shift = 32u - bits + factor.y;
  if (shift > 31u) { return 0; }
  return i32(min((e * factor.x + (1u << (shift - 1u))) >> shift, (1u << (bits - 1u)) - 1u));
}

/** The code 0 … 15 of e under S = Σe ≤ M: r = rne(S / e), rounded to a power of two at 1.5·2^ρ. */
fn log2_code(e: u32, sum: u32) -> u32 {
  if (e == 0u) { return 15u; }
  let q = sum / e;
  let rest = (sum - q * e) * 2u;
  let r = select(q, q + 1u, rest > e || (rest == e && (q & 1u) == 1u));
  let power = firstLeadingBit(r);
  return min(power + select(0u, 1u, 2u * r >= (3u << power)), 15u);
}

/** x·min((e·(M // S)) >> 24, 127) of shiftgelu: S = min(e + F, M) ≥ e, so e·(M // S) ≤ M. */
fn shift_gelu(x: i32, e: u32, at_zero: u32) -> i32 {
  return x * i32(min((e * (MOST / saturating_sum(e, at_zero))) >> 24u, 127u));
}
`;
