/** Operands of a product laid out for gemm.ts. */
import {
  PACK_K,
  PACK_K_STRIDE,
  PACK_N,
  PACK_N_STRIDE,
  PACK_NEGATE,
  PACK_OUT,
  PACK_OUT_GROUP,
  PACK_X,
  PACK_X_GROUP,
} from '../src/record-layout';
import { word } from './operand';

/** 8 k of 4 rows of int16, as 4 pairs [4 rows][2]; `step` bytes from one pair to the next. */
// @ts-expect-error: decorator
@inline
function interleave(to: usize, step: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const a = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5);
  const b = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const c = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  const d = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(a, b, 0, 2));
  v128.store(to + step, v128.shuffle<i64>(a, b, 1, 3));
  v128.store(to + 2 * step, v128.shuffle<i64>(c, d, 0, 2));
  v128.store(to + 3 * step, v128.shuffle<i64>(c, d, 1, 3));
}

/**
 * Packs rows of k int8 (T = i8) or int16 values into strips of 4 rows, enough for `count` rows. Reads up to 7 values past each
 * row's end: they meet zeros of the other operand. Only `rows` of them are there; where others are wanted, the last one repeats.
 */
// @ts-expect-error: decorator
@inline
function packRows<T>(to: usize, from: usize, stride: i32, rows: i32, count: i32, k: i32): void {
  for (let r = 0; r < count; r += 4) {
    let p0 = from + min(r, rows - 1) * stride;
    let p1 = from + min(r + 1, rows - 1) * stride;
    let p2 = from + min(r + 2, rows - 1) * stride;
    let p3 = from + min(r + 3, rows - 1) * stride;
    for (let i = 0; i < k; i += 8) {
      if (sizeof<T>() == 1) {
        interleave(to, 16, v128.load_ext<i8>(p0), v128.load_ext<i8>(p1), v128.load_ext<i8>(p2), v128.load_ext<i8>(p3));
      } else {
        interleave(to, 16, v128.load(p0), v128.load(p1), v128.load(p2), v128.load(p3));
      }
      p0 += 8 * sizeof<T>();
      p1 += 8 * sizeof<T>();
      p2 += 8 * sizeof<T>();
      p3 += 8 * sizeof<T>();
      to += 64;
    }
  }
}

/** 8 codes 0 … 15 as int16 -2^(15 - code); -2^15 is -32768. Codes past the row's end give any int16. */
// @ts-expect-error: decorator
@inline
function powers(at: usize): v128 {
  const codes = v128.load64_zero(at);
  // 2^(7 - code) is the high byte for codes 0 … 7, 2^(15 - code) the low one for 8 … 15; an index beyond 15 gives 0.
  const table = i8x16(-128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  const high = i8x16.swizzle(table, codes);
  const rest = i8x16.swizzle(table, i8x16.sub(codes, i8x16.splat(8)));
  return i16x8.neg(v128.shuffle<i8>(rest, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
}

/** {@link packRows} of log2 codes (u8). */
export function packRowsLog2(to: usize, from: usize, stride: i32, rows: i32, k: i32): void {
  for (let r = 0; r < rows; r += 4) {
    let p0 = from + r * stride;
    let p1 = from + min(r + 1, rows - 1) * stride;
    let p2 = from + min(r + 2, rows - 1) * stride;
    let p3 = from + min(r + 3, rows - 1) * stride;
    for (let i = 0; i < k; i += 8) {
      interleave(to, 16, powers(p0), powers(p1), powers(p2), powers(p3));
      p0 += 8;
      p1 += 8;
      p2 += 8;
      p3 += 8;
      to += 64;
    }
  }
}

export function packRows8(to: usize, from: usize, stride: i32, rows: i32, count: i32, k: i32): void {
  packRows<i8>(to, from, stride, rows, count, k);
}

export function packRows16(to: usize, from: usize, stride: i32, rows: i32, k: i32): void {
  packRows<i16>(to, from, stride, rows, rows, k);
}

/** One panel of 8 columns of an int8 matrix of any strides (bytes); zero where k or n is past the end. */
function packPanelAny(to: usize, x: usize, kStride: i32, nStride: i32, k: i32, from: i32, columns: i32): void {
  const padded = (k + 1) & ~1;
  for (let i = from; i < padded; i++) {
    for (let n = 0; n < 8; n++) {
      const value: i16 = i < k && n < columns ? load<i8>(x + i * kStride + n * nStride) : 0;
      store<i16>(to + ((i >> 1) << 5) + (n << 2) + ((i & 1) << 1), value);
    }
  }
}

/** One panel of 8 columns: `columns` of them (1 … 8) are there, the others hold what nobody reads. */
export function packPanel(to: usize, x: usize, kStride: i32, nStride: i32, k: i32, columns: i32): void {
  let done = 0;
  if (kStride == 1) {
    done = k & ~7;
    const last = columns - 1;
    for (let half = 0; half < 8; half += 4) {
      let p0 = x + min(half, last) * nStride;
      let p1 = x + min(half + 1, last) * nStride;
      let p2 = x + min(half + 2, last) * nStride;
      let p3 = x + min(half + 3, last) * nStride;
      let at = to + (half << 2);
      for (let i = 0; i < done; i += 8) {
        interleave(at, 32, v128.load_ext<i8>(p0), v128.load_ext<i8>(p1), v128.load_ext<i8>(p2), v128.load_ext<i8>(p3));
        p0 += 8;
        p1 += 8;
        p2 += 8;
        p3 += 8;
        at += 128;
      }
    }
  } else if (nStride == 1) {
    done = k & ~1;
    let at = to;
    for (let i = 0; i < done; i += 2) {
      const a = v128.load_ext<i8>(x + i * kStride);
      const b = v128.load_ext<i8>(x + (i + 1) * kStride);
      v128.store(at, v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(at, v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      at += 32;
    }
  }
  if (done < k) packPanelAny(to, x, kStride, nStride, k, done, columns);
}

/** Stage: panels i0 … i0+n-1 of group g. */
export function packStage(record: usize, g: i32, i0: i32, n: i32): void {
  const k = word(record, PACK_K);
  const columns = word(record, PACK_N);
  const kStride = word(record, PACK_K_STRIDE);
  const nStride = word(record, PACK_N_STRIDE);
  const panelBytes = ((k + 1) >> 1) << 5;
  const negate = word(record, PACK_NEGATE) != 0;
  const x = word(record, PACK_X) + g * word(record, PACK_X_GROUP);
  const out = word(record, PACK_OUT) + g * word(record, PACK_OUT_GROUP);
  for (let p = i0; p < i0 + n; p++) {
    const to: usize = out + p * panelBytes;
    packPanel(to, x + 8 * p * nStride, kStride, nStride, k, min(8, columns - 8 * p));
    if (negate) {
      for (let at = to; at < to + panelBytes; at += 16) v128.store(at, i16x8.neg(v128.load(at)));
    }
  }
}
