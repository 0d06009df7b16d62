import { reduction, rowKernel } from '../common/row-kernel.wgsl.js';

/**
 * softmax over rows of length L. With d = max(x) - x and E(d) a table or the powers of two of the spec:
 *
 * - table (Shiftmax is one): `S = min(ΣE, M)`, `y = min((E·(M // S)) >> (32 - bits), 2^(bits-1) - 1)`. E ≤ M, so a sum of two
 *   saturated sums fits u32; E·(M // S) ≤ M since E ≤ S.
 * - pow2: `i = ⌈d/2^F⌉`, `E = T[2^F·i - d] >> i` (0 from i = 32 on), `S = ΣE` (at most 2^15·65536 = 2^31),
 *   `h = max(0, bitlength(S) - 16)`, `r = M // (S >> h)`, `y = min((E·r + 2^(31-bits+h)) >> (32-bits+h), 2^(bits-1) - 1)`, which
 *   fits u32; 0 where the shift passes 31.
 * - log2 codes: `r = rne(S/E)`, ρ = bitlength(r) - 1, `y = min(ρ + (2r ≥ 3·2^ρ), 15)`, 15 where E = 0. S < 2^31, and r ≤ S, so
 *   r ≥ 2^ρ + 2^(ρ-1) says the same in u32.
 *
 * Words: 8 first word of the table, 9 its last index or, for pow2, -1 - F; 10 bits, or 4 for log2 codes.
 */
export const SOFTMAX_TABLE = 8;
export const SOFTMAX_LAST = 9;
export const SOFTMAX_BITS = 10;

export const softmaxCode: string = rowKernel(/* wgsl */ `
${reduction('max', '0u', (a, b) => `max(${a}, ${b})`)}
${reduction('sum', '0u', (a, b) => `add_terms(${a}, ${b})`)}
fn add_terms(a: u32, b: u32) -> u32 {
  let sum = a + b;
  return select(sum, min(sum, 0x7fffffffu), field(9u) >= 0);
}

fn exponential(d: u32) -> u32 {
  let table = u32(field(8u));
  let last = field(9u);
  if (last >= 0) {
    return constants[table + min(d, u32(last))];
  }
  let f = u32(-1 - last);
  let i = (d + (1u << f) - 1u) >> f;
  if (i > 31u) {
    return 0u;
  }
  return constants[table + (((i << f) - d) << (8u - f))] >> i;
}

/** x of an element, moved so that unsigned comparison holds. */
fn lifted(image: u32, flat: u32) -> u32 {
  return u32(load(0u, image, flat) + 32768);
}

fn survey(image: u32, row: u32, length: u32, slot: u32, thread: u32) {
  var top = identity_max;
  for (var i = thread; i < length; i += 64u) {
    top = max(top, lifted(image, row * length + i));
  }
  top = reduce_max(thread, top);
  var sum = identity_sum;
  for (var i = thread; i < length; i += 64u) {
    sum = add_terms(sum, exponential(top - lifted(image, row * length + i)));
  }
  sum = reduce_sum(thread, sum);
  if (thread == 0u) {
    let excess = select(0u, u32(max(16 - i32(countLeadingZeros(sum)), 0)), field(9u) < 0);
    var factor = sum;
    if (field(10u) != 4) {
      factor = 0x7fffffffu / max(sum >> excess, 1u);
    }
    found[slot] = vec4<u32>(top, factor, excess, 0u);
  }
}

fn log2_code(e: u32, sum: u32) -> i32 {
  if (e == 0u) {
    return 15;
  }
  var r = sum / e;
  let rest = sum - r * e;
  if (rest > e - rest || (rest == e - rest && (r & 1u) == 1u)) {
    r += 1u;
  }
  let whole = firstLeadingBit(r);
  let up = whole > 0u && r >= (1u << whole) + (1u << (max(whole, 1u) - 1u));
  return i32(min(whole + select(0u, 1u, up), 15u));
}

fn element(image: u32, row: u32, column: u32, length: u32, slot: u32) -> i32 {
  let e = exponential(found[slot].x - lifted(image, row * length + column));
  let bits = u32(field(10u));
  if (bits == 4u) {
    return log2_code(e, found[slot].y);
  }
  let down = 32u - bits + found[slot].z;
  if (down > 31u) {
    return 0;
  }
  let half = select(0u, 1u << (down - 1u), field(9u) < 0);
  return i32(min((e * found[slot].y + half) >> down, (1u << (bits - 1u)) - 1u));
}
`);
