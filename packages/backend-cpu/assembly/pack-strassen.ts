/** Operands of a product laid out for gemm-strassen.ts. */
import { packRows8 } from './pack';

/**
 * Packs `rows` rows of int8 into seven blocks of `strips` strips: A11 A12 S1 S2 S3 S4 A22. k is a multiple of 4; a strip
 * has room for k/2 rounded up to 8.
 */
export function packStrassenRows(to: usize, x: usize, stride: i32, rows: i32, strips: i32, k: i32): void {
  const half = k >> 1;
  const block = strips * ((half + 7) & ~7) * 8;
  const bottom = 4 * strips;
  const below = x + bottom * stride;
  // Rows that are not there repeat the last one: all sums stay small.
  packRows8(to, x, stride, rows, bottom, half);
  packRows8(to + block, x + half, stride, rows, bottom, half);
  packRows8(to + 4 * block, below, stride, rows - bottom, bottom, half);
  packRows8(to + 6 * block, below + half, stride, rows - bottom, bottom, half);
  for (let at = to; at < to + block; at += 16) {
    const a11 = v128.load(at);
    const a21 = v128.load(at + 4 * block);
    const s1 = i16x8.add(a21, v128.load(at + 6 * block));
    const s2 = i16x8.sub(s1, a11);
    v128.store(at + 2 * block, s1);
    v128.store(at + 3 * block, s2);
    v128.store(at + 4 * block, i16x8.sub(a11, a21));
    v128.store(at + 5 * block, i16x8.sub(v128.load(at + block), s2));
  }
}

/** 8 bytes of each of two rows, pair by pair in turns. */
// @ts-expect-error: decorator
@inline
function twoRows(x: usize, stride: i32): v128 {
  return v128.shuffle<i16>(v128.load64_zero(x), v128.load64_zero(x + stride), 0, 8, 1, 9, 2, 10, 3, 11);
}

/** Pairs 0 and 1 of the 4 that two vectors of {@link twoRows} hold: [2 pairs][4 rows][2] bytes. */
// @ts-expect-error: decorator
@inline
function firstPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}

/** Pairs 2 and 3. */
// @ts-expect-error: decorator
@inline
function lastPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

/** One pair of 4 columns in each of the seven panels. */
// @ts-expect-error: decorator
@inline
function storeSeven(to: usize, panel: usize, b11: v128, b21: v128, b12: v128, b22: v128): void {
  const t1 = i16x8.sub(b12, b11);
  const t2 = i16x8.sub(b22, t1);
  v128.store(to, b11);
  v128.store(to + panel, b21);
  v128.store(to + 2 * panel, t1);
  v128.store(to + 3 * panel, t2);
  v128.store(to + 4 * panel, i16x8.sub(b22, b12));
  v128.store(to + 5 * panel, b22);
  v128.store(to + 6 * panel, i16x8.sub(b21, t2));
}

/** Two pairs of 4 columns, given as bytes. */
// @ts-expect-error: decorator
@inline
function storePairs(to: usize, panel: usize, b11: v128, b21: v128, b12: v128, b22: v128): void {
  const a = i16x8.extend_low_i8x16_s(b11);
  const b = i16x8.extend_low_i8x16_s(b21);
  storeSeven(to, panel, a, b, i16x8.extend_low_i8x16_s(b12), i16x8.extend_low_i8x16_s(b22));
  const c = i16x8.extend_high_i8x16_s(b11);
  const d = i16x8.extend_high_i8x16_s(b21);
  storeSeven(to + 32, panel, c, d, i16x8.extend_high_i8x16_s(b12), i16x8.extend_high_i8x16_s(b22));
}

/** Bytes of a panel with so many pairs: whole fours are written. */
// @ts-expect-error: decorator
@inline
export function strassenPanelBytes(pairs: i32): i32 {
  return ((pairs + 3) & ~3) << 5;
}

/**
 * Packs 16 rows of int8 weights, 8 columns of the product from its left half and 8 from its right, into seven panels:
 * B11 B21 T1 T2 T3 B22 -T4. k is a multiple of 4; up to 6 bytes past a row's end are read.
 */
export function packStrassenPanels(to: usize, left: usize, right: usize, k: i32): void {
  const half = k >> 1;
  const panel: usize = strassenPanelBytes(half >> 1);
  for (let i = 0; i < half; i += 8) {
    let l = left + i;
    let r = right + i;
    for (let columns = 0; columns < 2; columns++) {
      const a01 = twoRows(l, k);
      const a23 = twoRows(l + 2 * k, k);
      const b01 = twoRows(l + half, k);
      const b23 = twoRows(l + half + 2 * k, k);
      const c01 = twoRows(r, k);
      const c23 = twoRows(r + 2 * k, k);
      const d01 = twoRows(r + half, k);
      const d23 = twoRows(r + half + 2 * k, k);
      const at = to + (columns << 4);
      storePairs(at, panel, firstPairs(a01, a23), firstPairs(b01, b23), firstPairs(c01, c23), firstPairs(d01, d23));
      storePairs(at + 64, panel, lastPairs(a01, a23), lastPairs(b01, b23), lastPairs(c01, c23), lastPairs(d01, d23));
      l += 4 * k;
      r += 4 * k;
    }
    to += 128;
  }
}
