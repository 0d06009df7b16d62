/** `linear` and `matmul`: pack the unit's rows, multiply by the packed right side. */
import {
  LINEAR_B,
  LINEAR_B_GROUP,
  LINEAR_BIAS,
  LINEAR_K,
  LINEAR_OUT,
  LINEAR_PACKED,
  LINEAR_PANELS,
  LINEAR_X,
  LINEAR_X_TYPE,
  STRASSEN_TILES_BYTES,
  TYPE_I8,
  TYPE_U8,
} from '../src/record-layout';
import { multiply } from './gemm';
import { multiplyStrassen } from './gemm-strassen';
import { address, rowStride, word } from './operand';
import { packRows8, packRows16, packRowsLog2 } from './pack';
import { packStrassenRows, strassenPanelBytes } from './pack-strassen';

export function linearStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const k = word(record, LINEAR_K);
  const x = address(record, LINEAR_X, g, i0, scratch);
  const packed = scratch + word(record, LINEAR_PACKED);
  if (word(record, LINEAR_X_TYPE) == TYPE_I8) packRows8(packed, x, rowStride(record, LINEAR_X), n, n, k);
  else if (word(record, LINEAR_X_TYPE) == TYPE_U8) packRowsLog2(packed, x, rowStride(record, LINEAR_X), n, k);
  else packRows16(packed, x, rowStride(record, LINEAR_X), n, k);
  multiply(
    packed,
    (n + 3) >> 2,
    word(record, LINEAR_B) + g * word(record, LINEAR_B_GROUP),
    word(record, LINEAR_PANELS),
    (k + 1) >> 1,
    address(record, LINEAR_OUT, g, i0, scratch),
    rowStride(record, LINEAR_OUT),
    word(record, LINEAR_BIAS),
  );
}

/** `linear` by gemm-strassen.ts: k a multiple of 4, LINEAR_PANELS of the left half. */
export function strassenStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const k = word(record, LINEAR_K);
  const temp = scratch + word(record, LINEAR_PACKED);
  const strips = (n + 7) >> 3;
  const packed = temp + STRASSEN_TILES_BYTES + 7 * strassenPanelBytes(k >> 2);
  packStrassenRows(packed, address(record, LINEAR_X, g, i0, scratch), rowStride(record, LINEAR_X), n, strips, k);
  multiplyStrassen(
    packed,
    strips,
    word(record, LINEAR_B),
    word(record, LINEAR_PANELS),
    k >> 2,
    address(record, LINEAR_OUT, g, i0, scratch),
    rowStride(record, LINEAR_OUT),
    word(record, LINEAR_BIAS),
    temp,
  );
}
