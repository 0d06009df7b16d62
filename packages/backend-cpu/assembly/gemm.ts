/**
 * Exact integer product of packed int16 operands, i32 accumulators.
 *
 *   C[r][n] = bias[n] + Σ_k A[r][k]·B[k][n]
 *
 * A: strips of 4 rows, [k/2][4 rows][2]; B: panels of 8 columns, [k/2][2 halves][4 columns][2]; C: rows of `stride` bytes.
 * `i32x4.dot_i16x8_s` adds two products of |a| ≤ 2^15 by |b| ≤ 2^7 (2^23); the validator bounds every partial sum by
 * 2^31 - 1 (it bounds Σ|a|·|b|), so nothing wraps. Columns and rows beyond the operand's own hold what nobody reads.
 *
 * Panels outside, strips inside: a panel stays in the first-level cache for all strips of a unit.
 */

/** Pairs of k taken at once, so that the strips of a unit and a panel stay in the first-level cache together. */
const BLOCK_PAIRS: i32 = 128;

/**
 * C = A·B + from + plus for one tile of 4 rows by 8 columns; `from` and `plus` may be 0 (nothing), a row stride may be 0.
 * They are added last: the sums need not wait for the tile before, which often made them.
 * gemm-strassen.ts calls it too; a call is as fast as the inlined loop (measured on DeiT-Tiny).
 */
export function tile(
  a: usize,
  b: usize,
  pairs: i32,
  from: usize,
  fromStride: i32,
  plus: usize,
  plusStride: i32,
  c: usize,
  stride: i32,
): void {
  let c00 = i32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  const end = b + (pairs << 5);
  const last = end - 32;
  // Two pairs an iteration. The way out between them keeps the compiler from loading both at once, which spills; and `a`
  // steps there too, since a broadcast takes no offset: other offsets than these four would cost an instruction each.
  for (;;) {
    let b0 = v128.load(b);
    let b1 = v128.load(b, 16);
    let s = v128.load_splat<i32>(a);
    c00 = i32x4.add(c00, i32x4.dot_i16x8_s(s, b0));
    c01 = i32x4.add(c01, i32x4.dot_i16x8_s(s, b1));
    s = v128.load_splat<i32>(a, 4);
    c10 = i32x4.add(c10, i32x4.dot_i16x8_s(s, b0));
    c11 = i32x4.add(c11, i32x4.dot_i16x8_s(s, b1));
    s = v128.load_splat<i32>(a, 8);
    c20 = i32x4.add(c20, i32x4.dot_i16x8_s(s, b0));
    c21 = i32x4.add(c21, i32x4.dot_i16x8_s(s, b1));
    s = v128.load_splat<i32>(a, 12);
    c30 = i32x4.add(c30, i32x4.dot_i16x8_s(s, b0));
    c31 = i32x4.add(c31, i32x4.dot_i16x8_s(s, b1));
    if (b >= last) break;
    a += 16;
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
    s = v128.load_splat<i32>(a);
    c00 = i32x4.add(c00, i32x4.dot_i16x8_s(s, b0));
    c01 = i32x4.add(c01, i32x4.dot_i16x8_s(s, b1));
    s = v128.load_splat<i32>(a, 4);
    c10 = i32x4.add(c10, i32x4.dot_i16x8_s(s, b0));
    c11 = i32x4.add(c11, i32x4.dot_i16x8_s(s, b1));
    s = v128.load_splat<i32>(a, 8);
    c20 = i32x4.add(c20, i32x4.dot_i16x8_s(s, b0));
    c21 = i32x4.add(c21, i32x4.dot_i16x8_s(s, b1));
    s = v128.load_splat<i32>(a, 12);
    c30 = i32x4.add(c30, i32x4.dot_i16x8_s(s, b0));
    c31 = i32x4.add(c31, i32x4.dot_i16x8_s(s, b1));
    b += 64;
    if (b >= end) break;
    a += 16;
  }
  if (from) {
    c00 = i32x4.add(c00, v128.load(from));
    c01 = i32x4.add(c01, v128.load(from, 16));
    from += fromStride;
    c10 = i32x4.add(c10, v128.load(from));
    c11 = i32x4.add(c11, v128.load(from, 16));
    from += fromStride;
    c20 = i32x4.add(c20, v128.load(from));
    c21 = i32x4.add(c21, v128.load(from, 16));
    from += fromStride;
    c30 = i32x4.add(c30, v128.load(from));
    c31 = i32x4.add(c31, v128.load(from, 16));
  }
  if (plus) {
    c00 = i32x4.add(c00, v128.load(plus));
    c01 = i32x4.add(c01, v128.load(plus, 16));
    plus += plusStride;
    c10 = i32x4.add(c10, v128.load(plus));
    c11 = i32x4.add(c11, v128.load(plus, 16));
    plus += plusStride;
    c20 = i32x4.add(c20, v128.load(plus));
    c21 = i32x4.add(c21, v128.load(plus, 16));
    plus += plusStride;
    c30 = i32x4.add(c30, v128.load(plus));
    c31 = i32x4.add(c31, v128.load(plus, 16));
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += stride;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += stride;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += stride;
  v128.store(c, c30);
  v128.store(c, c31, 16);
}

/**
 * @param strips strips of 4 rows in `a`, each `pairs`·16 bytes apart rounded up to 64
 * @param c room for 4·strips rows
 */
export function multiply(
  a: usize,
  strips: i32,
  b: usize,
  panels: i32,
  pairs: i32,
  c: usize,
  stride: i32,
  bias: usize,
): void {
  const stripBytes = ((pairs + 3) & ~3) << 4;
  const panelBytes = pairs << 5;
  for (let from = 0; from < pairs; from += BLOCK_PAIRS) {
    const count = min(pairs - from, BLOCK_PAIRS);
    let bp = b + (from << 5);
    for (let p = 0; p < panels; p++) {
      let ap = a + (from << 4);
      let cp = c + (p << 5);
      const start = bias ? bias + (p << 5) : 0;
      for (let s = 0; s < strips; s++) {
        if (from > 0) tile(ap, bp, count, cp, stride, 0, 0, cp, stride);
        else tile(ap, bp, count, start, 0, 0, 0, cp, stride);
        ap += stripBytes;
        cp += stride << 2;
      }
      bp += panelBytes;
    }
  }
}
