/**
 * A module of its own, for machines that have relaxed SIMD: `linear` and `matmul` of two int8 operands. The main module calls
 * it in the same memory; where it is not used, nothing here is compiled.
 */
import {
  LINEAR_B,
  LINEAR_B_GROUP,
  LINEAR_FLIP,
  LINEAR_K,
  LINEAR_OUT,
  LINEAR_PACKED,
  LINEAR_PANELS,
  LINEAR_X,
  PACK_FLIP,
  PACK_K,
  PACK_K_STRIDE,
  PACK_N,
  PACK_N_STRIDE,
  PACK_OUT,
  PACK_OUT_GROUP,
  PACK_X,
  PACK_X_GROUP,
} from '../src/record-layout';
import { address, rowStride, word } from './operand';
import { multiply, panelBytes, RELAXED_ROWS } from './relaxed-gemm';
import { packPanel, packStrips } from './relaxed-pack';

export { packPanel };

/** Stage: rows i0 … i0+n-1 of group g through a product. */
export function relaxedLinear(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const k = word(record, LINEAR_K);
  const packed = scratch + word(record, LINEAR_PACKED);
  const x = address(record, LINEAR_X, g, i0, scratch);
  packStrips(packed, x, rowStride(record, LINEAR_X), n, k, word(record, LINEAR_FLIP));
  multiply(
    packed,
    (n + RELAXED_ROWS - 1) / RELAXED_ROWS,
    word(record, LINEAR_B) + g * word(record, LINEAR_B_GROUP),
    word(record, LINEAR_PANELS),
    k,
    address(record, LINEAR_OUT, g, i0, scratch),
    rowStride(record, LINEAR_OUT),
  );
}

/** Stage: panels i0 … i0+n-1 of group g. */
export function relaxedPack(record: usize, g: i32, i0: i32, n: i32): void {
  const k = word(record, PACK_K);
  const columns = word(record, PACK_N);
  const kStride = word(record, PACK_K_STRIDE);
  const nStride = word(record, PACK_N_STRIDE);
  const x = word(record, PACK_X) + g * word(record, PACK_X_GROUP);
  const out = word(record, PACK_OUT) + g * word(record, PACK_OUT_GROUP);
  for (let p = i0; p < i0 + n; p++) {
    const to = out + p * panelBytes(k);
    packPanel(to, x + 8 * p * nStride, kStride, nStride, k, min(8, columns - 8 * p), 0, word(record, PACK_FLIP));
  }
}
