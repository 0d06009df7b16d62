/** `matmul` of a row or two of int16 by int8 weights as the file has them. */
import { LINEAR_B, LINEAR_B_GROUP, LINEAR_K, LINEAR_OUT, LINEAR_PANELS, LINEAR_X } from '../src/record-layout';
import { address, rowStride, word } from './operand';

/** The sums of four lanes of each. */
// @ts-expect-error: decorator
@inline
function laneSums(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  const a = i32x4.add(v128.shuffle<i32>(s0, s1, 0, 4, 1, 5), v128.shuffle<i32>(s0, s1, 2, 6, 3, 7));
  const b = i32x4.add(v128.shuffle<i32>(s2, s3, 0, 4, 1, 5), v128.shuffle<i32>(s2, s3, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i64>(a, b, 0, 2), v128.shuffle<i64>(a, b, 1, 3));
}

/** C[n] = Σ_k x[k]·W[n][k]: k and columns are multiples of 8. Each weight is read once, in the order of memory. */
function multiplyRow(x: usize, w: usize, stride: i32, k: i32, panels: i32, c: usize): void {
  const end = c + (panels << 5);
  const xEnd = x + (k << 1);
  while (c < end) {
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let w0 = w;
    let w1 = w + stride;
    let w2 = w1 + stride;
    let w3 = w2 + stride;
    w = w3 + stride;
    for (let at = x; at < xEnd; at += 16) {
      const v = v128.load(at);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v, v128.load_ext<i8>(w0)));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v, v128.load_ext<i8>(w1)));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v, v128.load_ext<i8>(w2)));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v, v128.load_ext<i8>(w3)));
      w0 += 8;
      w1 += 8;
      w2 += 8;
      w3 += 8;
    }
    v128.store(c, laneSums(s0, s1, s2, s3));
    c += 16;
  }
}

export function fewRowsStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  let x = address(record, LINEAR_X, g, i0, scratch);
  let c = address(record, LINEAR_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    multiplyRow(
      x,
      word(record, LINEAR_B),
      word(record, LINEAR_B_GROUP),
      word(record, LINEAR_K),
      word(record, LINEAR_PANELS),
      c,
    );
    x += rowStride(record, LINEAR_X);
    c += rowStride(record, LINEAR_OUT);
  }
}
