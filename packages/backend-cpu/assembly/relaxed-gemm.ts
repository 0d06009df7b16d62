/**
 * Exact integer product of packed int8 operands by the relaxed dot product, i32 accumulators.
 *
 *   C[r][n] = head[n] + Σ_k B[k][n]·A[r][k]         head[n] = bias[n] - flip·Σ_k B[k][n]
 *
 * `i32x4.relaxed_dot_i8x16_i7x16_add_s` multiplies a signed first operand by a second one of which only 7 bits mean the
 * same everywhere. This file runs only where a probe (src/select.ts) found one of two meanings of all 8 bits:
 *
 *   signed    A as it is, flip = 0.
 *   unsigned  the second operand is read as 0 … 255, without saturation: A holds a + 128 (the byte with its top bit
 *             flipped), flip = 128, and Σ b·(a + 128) - 128·Σ b = Σ b·a.
 *
 * Sums are modulo 2^32. The validator bounds bias + Σ|a|·|b| by 2^31 - 1, so the result, being in range, is exact whatever the
 * sums were on the way; the probe also sees that additions wrap.
 *
 * A: strips of 6 rows, [k/4][6 rows][4]; B: panels of 8 columns, i32[8] head, then [k/4][2 halves][4 columns][4]; C: rows of
 * `stride` bytes. k is filled up with zeros in B. Columns and rows beyond the operand's own hold what nobody reads.
 *
 * Measured on a core with AVX-VNNI under V8 13.6, products of DeiT-T in GMAC/s of one run: this tile 87-91, 4x8 71-75,
 * 4x12 67-78, 2x16 71-74, 8x4 69-71, 3x16 55-64; gemm.ts 34. Taking k in blocks gains nothing up to 3072.
 */

/** Rows of a strip. */
export const RELAXED_ROWS: i32 = 6;
/** Bytes of a panel's head. */
export const HEAD_BYTES: i32 = 32;
/** Bytes of a packed strip: k goes up to the next multiple of 16. */
// @ts-expect-error: decorator
@inline
export function stripBytes(k: i32): i32 {
  return ((k + 15) >> 4) * 96;
}

/** Bytes of a packed panel. */
// @ts-expect-error: decorator
@inline
export function panelBytes(k: i32): i32 {
  return HEAD_BYTES + (((k + 3) >> 2) << 5);
}

// @ts-expect-error: decorator
@inline
function tile(a: usize, head: usize, end: usize, c: usize, stride: i32): void {
  let c00 = v128.load(head);
  let c01 = v128.load(head, 16);
  let c10 = c00;
  let c11 = c01;
  let c20 = c00;
  let c21 = c01;
  let c30 = c00;
  let c31 = c01;
  let c40 = c00;
  let c41 = c01;
  let c50 = c00;
  let c51 = c01;
  let b = head + HEAD_BYTES;
  do {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let s = v128.load_splat<i32>(a);
    c00 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, s, c00);
    c01 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, s, c01);
    s = v128.load_splat<i32>(a, 4);
    c10 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, s, c10);
    c11 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, s, c11);
    s = v128.load_splat<i32>(a, 8);
    c20 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, s, c20);
    c21 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, s, c21);
    s = v128.load_splat<i32>(a, 12);
    c30 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, s, c30);
    c31 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, s, c31);
    s = v128.load_splat<i32>(a, 16);
    c40 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, s, c40);
    c41 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, s, c41);
    s = v128.load_splat<i32>(a, 20);
    c50 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b0, s, c50);
    c51 = i32x4.relaxed_dot_i8x16_i7x16_add_s(b1, s, c51);
    a += 24;
    b += 32;
  } while (b < end);
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
  c += stride;
  v128.store(c, c40);
  v128.store(c, c41, 16);
  c += stride;
  v128.store(c, c50);
  v128.store(c, c51, 16);
}

/**
 * @param strips strips of 6 rows in `a`
 * @param c room for 6·strips rows
 */
export function multiply(a: usize, strips: i32, b: usize, panels: i32, k: i32, c: usize, stride: i32): void {
  for (let p = 0; p < panels; p++) {
    const end = b + panelBytes(k);
    let ap = a;
    let cp = c + (p << 5);
    for (let s = 0; s < strips; s++) {
      tile(ap, b, end, cp, stride);
      ap += stripBytes(k);
      cp += stride * RELAXED_ROWS;
    }
    b = end;
  }
}
