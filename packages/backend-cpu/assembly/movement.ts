/** What moves values and computes nothing: row copies, strided views, `gather`; and `mean`. */
import {
  COPY_BYTES,
  COPY_OUT,
  COPY_X,
  GATHER_BYTES,
  GATHER_OUT,
  GATHER_ROWS,
  GATHER_X,
  MEAN_INNER,
  MEAN_OUT,
  MEAN_SIZE,
  MEAN_TYPE,
  MEAN_X,
  TYPE_I16,
  TYPE_I32,
  VIEW_BYTES,
  VIEW_OUT,
  VIEW_SHAPE,
  VIEW_STRIDES,
  VIEW_X,
} from '../src/record-layout';
import { divideEven } from './layer-norm';
import { address, copyBytes, rowStride, word } from './operand';
import { element } from './requantize-any';

export function copyStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const bytes = word(record, COPY_BYTES);
  let x = address(record, COPY_X, g, i0, scratch);
  let out = address(record, COPY_OUT, g, i0, scratch);
  for (let i = 0; i < n; i++) {
    copyBytes(out, x, bytes);
    x += rowStride(record, COPY_X);
    out += rowStride(record, COPY_OUT);
  }
}

/** Indices i0 … i0+n-1 of the outermost of six axes. */
export function viewStage(record: usize, i0: i32, n: i32): void {
  const bytes = word(record, VIEW_BYTES);
  const n1 = word(record, VIEW_SHAPE + 1);
  const n2 = word(record, VIEW_SHAPE + 2);
  const n3 = word(record, VIEW_SHAPE + 3);
  const n4 = word(record, VIEW_SHAPE + 4);
  const n5 = word(record, VIEW_SHAPE + 5);
  const s0 = word(record, VIEW_STRIDES);
  const s1 = word(record, VIEW_STRIDES + 1);
  const s2 = word(record, VIEW_STRIDES + 2);
  const s3 = word(record, VIEW_STRIDES + 3);
  const s4 = word(record, VIEW_STRIDES + 4);
  const s5 = word(record, VIEW_STRIDES + 5);
  const base: usize = load<u32>(record + (VIEW_X << 2));
  let to: usize = load<u32>(record + (VIEW_OUT << 2));
  to += i0 * (n1 * n2 * n3 * n4 * n5 * bytes);
  for (let a = i0; a < i0 + n; a++) {
    for (let b = 0; b < n1; b++) {
      for (let c = 0; c < n2; c++) {
        for (let d = 0; d < n3; d++) {
          for (let e = 0; e < n4; e++) {
            let from = base + a * s0 + b * s1 + c * s2 + d * s3 + e * s4;
            if (s5 == bytes) {
              copyBytes(to, from, n5 * bytes);
              to += n5 * bytes;
              continue;
            }
            for (let f = 0; f < n5; f++) {
              if (bytes == 1) store<u8>(to, load<u8>(from));
              else if (bytes == 2) store<u16>(to, load<u16>(from));
              else store<u32>(to, load<u32>(from));
              to += bytes;
              from += s5;
            }
          }
        }
      }
    }
  }
}

export function gatherStage(record: usize, i0: i32, n: i32): void {
  const bytes = word(record, GATHER_BYTES);
  const x: usize = load<u32>(record + (GATHER_X << 2));
  const rows: usize = load<u32>(record + (GATHER_ROWS << 2));
  let out = (load<u32>(record + (GATHER_OUT << 2)) as usize) + i0 * bytes;
  for (let r = i0; r < i0 + n; r++) {
    copyBytes(out, x + load<i32>(rows + (r << 2)) * bytes, bytes);
    out += bytes;
  }
}

/** y = rne(Σ / size), |Σ| < 2^51. */
export function meanStage(record: usize, i0: i32, n: i32): void {
  const type = word(record, MEAN_TYPE);
  const size = word(record, MEAN_SIZE);
  const inner = word(record, MEAN_INNER);
  const bytes = type == TYPE_I32 ? 4 : type == TYPE_I16 ? 2 : 1;
  const x: usize = load<u32>(record + (MEAN_X << 2));
  const out: usize = load<u32>(record + (MEAN_OUT << 2));
  for (let o = i0; o < i0 + n; o++) {
    const plane = x + o * size * inner * bytes;
    for (let i = 0; i < inner; i++) {
      let sum: i64 = 0;
      for (let k = 0; k < size; k++) sum += element(plane, type, k * inner + i);
      const y = divideEven(sum, size as i64);
      const at = out + (o * inner + i) * bytes;
      if (bytes == 4) store<i32>(at, y as i32);
      else if (bytes == 2) store<i16>(at, y as i16);
      else store<i8>(at, y as i8);
    }
  }
}
