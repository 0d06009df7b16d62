import { elementCount, type View } from '@ivit/tensor';

/** Axes seen as one: its stride where they have one. */
export function mergedStride(shape: readonly number[], strides: readonly number[]): number | undefined {
  let merged: number | undefined;
  let size = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    const stride = strides[axis] as number;
    if (merged !== undefined && stride !== merged * size) return undefined;
    merged ??= stride;
    size *= shape[axis] as number;
  }
  return merged ?? 0;
}

/** Element (row, column) of a view lies at offset + row·rowStride + column·columnStride. */
export interface RowView {
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** The last axes that hold `columns` elements as columns, all before them as rows, where both have a stride each. */
export function rowsOfView({ offset, shape, strides }: View, columns: number): RowView | undefined {
  let split = shape.length;
  while (split > 0 && elementCount(shape.slice(split)) < columns) split--;
  if (elementCount(shape.slice(split)) !== columns) return undefined;
  const rowStride = mergedStride(shape.slice(0, split), strides.slice(0, split));
  const columnStride = mergedStride(shape.slice(split), strides.slice(split));
  if (rowStride === undefined || columnStride === undefined) return undefined;
  return { offset, rows: elementCount(shape.slice(0, split)), columns, rowStride, columnStride };
}

/** Rows whose elements follow each other, each beginning at a whole number of `unit` elements. */
export function wordRows(view: View, columns: number, unit: number): RowView | undefined {
  const found = rowsOfView(view, columns);
  if (found === undefined || (columns > 1 && found.columnStride !== 1)) return undefined;
  if ((found.offset | found.rowStride) % unit !== 0 || found.offset < 0) return undefined;
  return found;
}
