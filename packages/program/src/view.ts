import type { View } from './types.js';

export const MAX_RANK = 6;

/** Product of the sizes; 1 for rank 0. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/** Row-major strides in elements. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
}

/** Smallest and largest element index a view reaches. */
export function viewBounds(view: View): { readonly min: number; readonly max: number } {
  let min = view.offset;
  let max = view.offset;
  for (let axis = 0; axis < view.shape.length; axis++) {
    const reach = ((view.shape[axis] as number) - 1) * (view.strides[axis] as number);
    if (reach < 0) min += reach;
    else max += reach;
  }
  return { min, max };
}

/** Whether a view walks a whole dense tensor of `count` elements in order. */
export function isDense(view: View, count: number): boolean {
  if (view.offset !== 0 || elementCount(view.shape) !== count) return false;
  const dense = denseStrides(view.shape);
  return view.shape.every((size, axis) => size === 1 || view.strides[axis] === dense[axis]);
}

/** View of a dense tensor under another shape of the same element count. */
export function reshapeView(shape: readonly number[]): View {
  return { offset: 0, shape: [...shape], strides: denseStrides(shape) };
}

/** View of a dense tensor of `shape` with its axes in the order `axes`. */
export function transposeView(shape: readonly number[], axes: readonly number[]): View {
  const strides = denseStrides(shape);
  return {
    offset: 0,
    shape: axes.map((axis) => shape[axis] as number),
    strides: axes.map((axis) => strides[axis] as number),
  };
}
