/** Values as rows of their last axis. */
import type { View } from '@ivit/program';

/** `groups × rows` rows, of which the first `needed` of each group are computed. */
export interface RowSpace {
  readonly groups: number;
  readonly rows: number;
  readonly needed: number;
}

/** How the rows of an operand lie, in elements. */
export interface RowAccess {
  readonly offset: number;
  readonly group: number;
  readonly row: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((count, size) => count * size, 1);

/** The row space of a tensor of `shape`, of whose rows the box is needed. */
export function rowSpace(shape: readonly number[], box: readonly number[] = shape): RowSpace {
  const axis = shape.length - 2;
  if (axis < 0) return { groups: 1, rows: 1, needed: 1 };
  return {
    groups: product(shape.slice(0, axis)),
    rows: shape[axis] as number,
    needed: box[axis] as number,
  };
}

/** The one stride that walks these axes in row-major order, if one does; 0 for a single element. */
export function collapse(shape: readonly number[], strides: readonly number[]): number | undefined {
  let stride: number | undefined;
  let next = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size === 1) continue;
    const own = strides[axis] as number;
    if (stride === undefined) stride = own;
    else if (own !== next) return undefined;
    next = own * size;
  }
  return stride ?? 0;
}

/** How a view's rows of the last axis lie; undefined where a row is not contiguous or the groups have no single stride. */
export function rowAccess(view: View): RowAccess | undefined {
  const last = view.shape.length - 1;
  if (last < 0) return { offset: view.offset, group: 0, row: 0 };
  if (view.shape[last] !== 1 && view.strides[last] !== 1) return undefined;
  const axis = last - 1;
  if (axis < 0) return { offset: view.offset, group: 0, row: 0 };
  const group = collapse(view.shape.slice(0, axis), view.strides.slice(0, axis));
  if (group === undefined) return undefined;
  return { offset: view.offset, group, row: view.strides[axis] as number };
}

/** A view of one element per row as rows: its last axis is the row axis. */
export function scalarAccess(view: View): RowAccess | undefined {
  return rowAccess({ offset: view.offset, shape: [...view.shape, 1], strides: [...view.strides, 0] });
}
