import { denseStrides, elementCount, isDenseView } from '@ivit/tensor';
import type { View } from './types.js';

/** Whether a view walks a whole dense tensor of `count` elements in order. */
export function isDense(view: View, count: number): boolean {
  return view.offset === 0 && elementCount(view.shape) === count && isDenseView(view);
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
