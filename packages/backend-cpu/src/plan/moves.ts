/** Groups that move values between rows, or sum over them. */
import { type DType, elementCount, planView, type View } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { packedBytes, relaxedBytes } from './constants.js';
import { type GroupDraft, type Ref, type Relaxed, type StageDraft, startRecord, typeCode } from './stage.js';

/** Elements that a unit of a move handles at least. */
const UNIT_ELEMENTS = 16384;

const BYTES: Readonly<Record<DType, number>> = { u8: 1, i8: 1, i16: 2, i32: 4 };

/** A value by name or bytes at an address, from an element on. */
function at(source: string | number, offset: number): Ref {
  const access = { offset, group: 0, row: 0 };
  return typeof source === 'number' ? { address: source, access } : { value: source, access };
}

function group(rows: number, elements: number, stage: StageDraft): GroupDraft {
  const each = Math.max(1, elements);
  const strip = Math.max(1, Math.min(rows, Math.ceil(UNIT_ELEMENTS / each))); // float-ok: a heuristic, rounded up
  return { space: { groups: 1, rows, needed: rows }, strip, stages: [stage], scattered: new Set() };
}

/** A strided view made dense, from element `start` of the result on. */
export function viewGroup(source: string | number, result: string, view: View, dtype: DType, start = 0): GroupDraft {
  const plan = planView(view);
  const shape = [...plan.shape];
  const strides = [...plan.strides];
  // The first axis that is one moves to the front, where units are cut; the last stays, where runs are copied.
  const axis = shape.findIndex((size, index) => size > 1 && index < 5);
  if (axis > 0) {
    shape[0] = shape[axis] as number;
    strides[0] = strides[axis] as number;
    shape[axis] = 1;
    strides[axis] = 0;
  }
  const bytes = BYTES[dtype];
  const x = at(source, view.offset);
  const out = at(result, start);
  return group(shape[0] as number, elementCount(shape.slice(1)), {
    result,
    width: 0,
    reads: [x],
    encode({ resolve }) {
      const record = startRecord(R.KIND_VIEW, R.VIEW_WORDS);
      record[R.VIEW_X] = resolve(x, dtype)[0] as number;
      record[R.VIEW_OUT] = resolve(out, dtype)[0] as number;
      record[R.VIEW_BYTES] = bytes;
      for (const [i, size] of shape.entries()) record[R.VIEW_SHAPE + i] = size;
      for (const [i, stride] of strides.entries()) record[R.VIEW_STRIDES + i] = stride * bytes;
      return record;
    },
  });
}

export function gatherGroup(
  source: string | number,
  result: string,
  rows: number,
  count: number,
  width: number,
  dtype: DType,
  offset: number,
): GroupDraft {
  const x = at(source, offset);
  const out = at(result, 0);
  return group(count, width, {
    result,
    width: 0,
    reads: [x],
    encode({ resolve }) {
      const record = startRecord(R.KIND_GATHER, R.GATHER_WORDS);
      record[R.GATHER_X] = resolve(x, dtype)[0] as number;
      record[R.GATHER_OUT] = resolve(out, dtype)[0] as number;
      record[R.GATHER_ROWS] = rows;
      record[R.GATHER_BYTES] = width * BYTES[dtype];
      return record;
    },
  });
}

export function meanGroup(
  source: string | number,
  result: string,
  shape: readonly number[],
  axis: number,
  dtype: DType,
  offset: number,
): GroupDraft {
  const outer = elementCount(shape.slice(0, axis));
  const size = shape[axis] as number;
  const inner = elementCount(shape.slice(axis + 1));
  const x = at(source, offset);
  const out = at(result, 0);
  return group(outer, size * inner, {
    result,
    width: 0,
    reads: [x],
    encode({ resolve }) {
      const record = startRecord(R.KIND_MEAN, R.MEAN_WORDS);
      record[R.MEAN_X] = resolve(x, dtype)[0] as number;
      record[R.MEAN_OUT] = resolve(out, dtype)[0] as number;
      record[R.MEAN_TYPE] = typeCode(dtype);
      record[R.MEAN_SIZE] = size;
      record[R.MEAN_INNER] = inner;
      return record;
    },
  });
}

/**
 * int8 `[groups…, K, N]`, its leading axes walked by one stride, packed as right sides of products.
 *
 * @param negate -b: the left side holds -2^(15 - code), since 2^15 is no int16
 */
export function packGroup(
  source: string | number,
  result: string,
  view: View,
  groups: number,
  relaxed: Relaxed | undefined,
  negate: boolean,
): GroupDraft {
  const rank = view.shape.length;
  const [k, n] = view.shape.slice(-2) as [number, number];
  const [kStride, nStride] = view.strides.slice(-2) as [number, number];
  const lead = view.shape.slice(0, rank - 2).findLastIndex((size) => size > 1);
  const groupStride = lead < 0 ? 0 : (view.strides[lead] as number);
  const x = at(source, view.offset);
  const out = at(result, 0);
  const panels = (n + 7) >> 3;
  return {
    space: { groups, rows: panels, needed: panels },
    strip: 4,
    stages: [
      {
        result,
        width: 0,
        reads: [x],
        encode({ resolve }) {
          const record = startRecord(relaxed === undefined ? R.KIND_PACK : R.KIND_RELAXED_PACK, R.PACK_WORDS);
          record[R.PACK_X] = resolve(x, 'i8')[0] as number;
          record[R.PACK_X_GROUP] = groupStride;
          record[R.PACK_K_STRIDE] = kStride;
          record[R.PACK_N_STRIDE] = nStride;
          record[R.PACK_K] = k;
          record[R.PACK_N] = n;
          record[R.PACK_OUT] = resolve(out, 'i8')[0] as number;
          record[R.PACK_OUT_GROUP] = (relaxed === undefined ? packedBytes : relaxedBytes)(k, n);
          record[R.PACK_FLIP] = relaxed?.flip ?? 0;
          record[R.PACK_NEGATE] = negate ? 1 : 0;
          return record;
        },
      },
    ],
    scattered: new Set(),
  };
}
