/** Operands of a product laid out for relaxed-gemm.ts. */
import { HEAD_BYTES, RELAXED_ROWS, stripBytes } from './relaxed-gemm';

/** Every 4 bytes of a row, xor `f`, to every `step` bytes: whole 16s of the row. Lanes are stored faster than shuffled and stored. */
// @ts-expect-error: decorator
@inline
function spread(to: usize, step: usize, from: usize, bytes: i32, f: v128): void {
  const end = from + bytes;
  for (; from < end; from += 16) {
    const x = v128.xor(v128.load(from), f);
    v128.store_lane<i32>(to, x, 0);
    to += step;
    v128.store_lane<i32>(to, x, 1);
    to += step;
    v128.store_lane<i32>(to, x, 2);
    to += step;
    v128.store_lane<i32>(to, x, 3);
    to += step;
  }
}

/**
 * Packs `rows` rows of k int8 into strips, each byte xor `flip`. Reads up to 15 bytes past each row's end: they meet zeros of
 * the other operand. Missing rows of the last strip repeat the last one.
 */
export function packStrips(to: usize, from: usize, stride: i32, rows: i32, k: i32, flip: i32): void {
  const f = i8x16.splat(flip as i8);
  const bytes = (k + 15) & ~15;
  for (let r = 0; r < rows; r += RELAXED_ROWS) {
    for (let i = 0; i < RELAXED_ROWS; i++) {
      spread(to + (i << 2), RELAXED_ROWS * 4, from + min(r + i, rows - 1) * stride, bytes, f);
    }
    to += stripBytes(k);
  }
}

/** Columns of a panel of any strides (bytes), from `from` (a multiple of 4) on; zero where k or n is past the end. */
function fillPanel(to: usize, x: usize, kStride: i32, nStride: i32, k: i32, from: i32, columns: i32): void {
  const padded = (k + 3) & ~3;
  for (let i = from; i < padded; i++) {
    for (let n = 0; n < 8; n++) {
      const value: i8 = i < k && n < columns ? load<i8>(x + i * kStride + n * nStride) : 0;
      store<i8>(to + ((i >> 2) << 5) + (n << 2) + (i & 3), value);
    }
  }
}

/** Four int8 of each lane added up. */
// @ts-expect-error: decorator
@inline
function sumFours(x: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(x));
}

/**
 * One panel of 8 columns of an int8 matrix, `columns` of them (1 … 8) there, and its head.
 *
 * @param bias i32[8], or 0
 * @param flip what `packStrips` has for the other operand
 */
export function packPanel(
  to: usize,
  x: usize,
  kStride: i32,
  nStride: i32,
  k: i32,
  columns: i32,
  bias: usize,
  flip: i32,
): void {
  const body = to + HEAD_BYTES;
  let done = 0;
  if (kStride == 1) {
    done = k & ~15;
    for (let n = 0; n < 8; n++) {
      spread(body + (n << 2), 32, x + min(n, columns - 1) * nStride, done, i32x4.splat(0));
    }
  } else if (nStride == 1 && columns == 8) {
    done = k & ~3;
    let at = body;
    let row = x;
    for (let i = 0; i < done; i += 4) {
      const a = v128.load_zero<i64>(row);
      const b = v128.load_zero<i64>(row + kStride);
      const c = v128.load_zero<i64>(row + 2 * kStride);
      const d = v128.load_zero<i64>(row + 3 * kStride);
      const ab = v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const cd = v128.shuffle<i8>(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      v128.store(at, v128.shuffle<i16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(at, v128.shuffle<i16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      row += kStride << 2;
      at += 32;
    }
  }
  if (done < k) fillPanel(body, x, kStride, nStride, k, done, columns);
  let s0 = i32x4.splat(0);
  let s1 = s0;
  const end = body + (((k + 3) >> 2) << 5);
  for (let at = body; at < end; at += 32) {
    s0 = i32x4.add(s0, sumFours(v128.load(at)));
    s1 = i32x4.add(s1, sumFours(v128.load(at, 16)));
  }
  const f = i32x4.splat(flip);
  const b0 = bias ? v128.load(bias) : i32x4.splat(0);
  const b1 = bias ? v128.load(bias, 16) : i32x4.splat(0);
  v128.store(to, i32x4.sub(b0, i32x4.mul(s0, f)));
  v128.store(to, i32x4.sub(b1, i32x4.mul(s1, f)), 16);
}
