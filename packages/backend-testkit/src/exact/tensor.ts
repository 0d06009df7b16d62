import { DTYPE_RANGE, type DType, type View } from '@ivit/program';
import { denseStrides, elementCount, type IntegerArray, makeArray } from '@ivit/tensor';

/** A dense tensor of one image, or a constant. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: IntegerArray;
}

export function tensorOf(dtype: DType, shape: readonly number[]): Tensor {
  return { dtype, shape, data: makeArray(dtype, elementCount(shape)) };
}

/** Stores an exact integer. What leaves the dtype is a mistake of this interpreter or of the validator's proof. */
export function store(tensor: Tensor, index: number, value: bigint | number): void {
  const range = DTYPE_RANGE[tensor.dtype];
  if (value < range.lo || value > range.hi) throw new RangeError(`${value} does not fit ${tensor.dtype}`);
  tensor.data[index] = Number(value);
}

/** The elements of a view, in its order. */
export function see(tensor: Tensor, view: View | undefined): Tensor {
  if (view === undefined) return tensor;
  const seen = tensorOf(tensor.dtype, view.shape);
  const index = view.shape.map(() => 0);
  for (let i = 0; i < seen.data.length; i++) {
    let at = view.offset;
    for (let axis = 0; axis < index.length; axis++) at += (index[axis] as number) * (view.strides[axis] as number);
    seen.data[i] = tensor.data[at] as number;
    for (let axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (view.shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return seen;
}

/** A tensor repeated over missing leading axes and axes of size 1. */
export function broadcast(tensor: Tensor, shape: readonly number[]): Tensor {
  const missing = shape.length - tensor.shape.length;
  const own = denseStrides(tensor.shape);
  const strides = shape.map((_, axis) => {
    return axis < missing || tensor.shape[axis - missing] === 1 ? 0 : (own[axis - missing] as number);
  });
  return see(tensor, { offset: 0, shape, strides });
}

/** Rows of the last axis. */
export function rowsOf(tensor: Tensor): readonly IntegerArray[] {
  const length = tensor.shape.at(-1) ?? 1;
  const rows: IntegerArray[] = [];
  for (let start = 0; start < tensor.data.length; start += length)
    rows.push(tensor.data.subarray(start, start + length));
  return rows;
}
