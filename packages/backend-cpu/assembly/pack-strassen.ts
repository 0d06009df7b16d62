/** Operands of a product laid out for gemm-strassen.ts. */
import { interleave, packPanel } from './pack';

/** One block of 4·strips rows from row `first`; rows past the last repeat it, so that all sums stay small. */
// @ts-expect-error: decorator
@inline
function packBlock(to: usize, x: usize, stride: i32, first: i32, rows: i32, strips: i32, k: i32): void {
  const last = rows - 1;
  for (let r = first; r < first + 4 * strips; r += 4) {
    let p0 = x + min(r, last) * stride;
    let p1 = x + min(r + 1, last) * stride;
    let p2 = x + min(r + 2, last) * stride;
    let p3 = x + min(r + 3, last) * stride;
    for (let i = 0; i < k; i += 8) {
      interleave(to, 16, v128.load_ext<i8>(p0), v128.load_ext<i8>(p1), v128.load_ext<i8>(p2), v128.load_ext<i8>(p3));
      p0 += 8;
      p1 += 8;
      p2 += 8;
      p3 += 8;
      to += 64;
    }
  }
}

/**
 * Packs `rows` rows of int8 into seven blocks of `strips` strips: A11 A12 S1 S2 S3 S4 A22. k is a multiple of 4; a strip
 * has room for k/2 rounded up to 8.
 */
export function packStrassenRows(to: usize, x: usize, stride: i32, rows: i32, strips: i32, k: i32): void {
  const half = k >> 1;
  const block = strips * ((half + 7) & ~7) * 8;
  const bottom = 4 * strips;
  packBlock(to, x, stride, 0, rows, strips, half);
  packBlock(to + block, x + half, stride, 0, rows, strips, half);
  packBlock(to + 4 * block, x, stride, bottom, rows, strips, half);
  packBlock(to + 6 * block, x + half, stride, bottom, rows, strips, half);
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

/**
 * Packs 16 rows of int8 weights, 8 columns of the product from its left half and 8 from its right, into seven panels:
 * B11 B21 T1 T2 T3 B22 -T4. k is a multiple of 4.
 */
export function packStrassenPanels(to: usize, left: usize, right: usize, k: i32): void {
  const half = k >> 1;
  const panel = (half >> 1) << 5;
  packPanel(to, left, 1, k, half, 8);
  packPanel(to + panel, left + half, 1, k, half, 8);
  packPanel(to + 4 * panel, right, 1, k, half, 8);
  packPanel(to + 5 * panel, right + half, 1, k, half, 8);
  for (let at = to; at < to + panel; at += 16) {
    const b12 = v128.load(at + 4 * panel);
    const b22 = v128.load(at + 5 * panel);
    const t1 = i16x8.sub(b12, v128.load(at));
    const t2 = i16x8.sub(b22, t1);
    v128.store(at + 2 * panel, t1);
    v128.store(at + 3 * panel, t2);
    v128.store(at + 4 * panel, i16x8.sub(b22, b12));
    v128.store(at + 6 * panel, i16x8.sub(v128.load(at + panel), t2));
  }
}
