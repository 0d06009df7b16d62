/** Columns per strip of the accumulation: 4 columns against all earlier ones. */
const TILE = 4;

/**
 * Σ x·xᵀ over calibration rows, float64, lower triangle accumulated in a fixed order, and the rows' sum.
 */
export interface SecondMoments {
  readonly size: number;
  /** `[K,K]`, lower triangle. */
  readonly products: Float64Array;
  /** `[K]` */
  readonly sums: Float64Array;
  rows: number;
}

export function createMoments(size: number): SecondMoments {
  return { size, products: new Float64Array(size * size), sums: new Float64Array(size), rows: 0 };
}

/** Adds rows to the moments. See {@link addProducts}. */
export function addColumns(moments: SecondMoments, columns: Float64Array, rows: number): void {
  const { size, sums } = moments;
  for (let i = 0; i < size; i += 1) {
    let sum = 0;
    const start = i * rows;
    for (let r = start; r < start + rows; r += 1) sum += columns[r] as number;
    sums[i] = (sums[i] as number) + sum;
  }
  addProducts(moments, columns, rows);
  moments.rows += rows;
}

/**
 * Adds rows to the products alone.
 *
 * @param columns `[K, rows]`: one column of the activations after the other, K padded by no one.
 */
export function addProducts({ size, products }: SecondMoments, columns: Float64Array, rows: number): void {
  for (let i = 0; i < size; i += TILE) {
    for (let j = 0; j <= i; j += TILE) {
      if (i + TILE <= size && j + TILE <= size) addTile(products, size, columns, rows, i, j);
      else addEdgeTile(products, size, columns, rows, i, j);
    }
  }
}

function addEdgeTile(
  products: Float64Array,
  size: number,
  columns: Float64Array,
  rows: number,
  top: number,
  left: number,
): void {
  for (let i = top; i < Math.min(top + TILE, size); i += 1) {
    for (let j = left; j < Math.min(left + TILE, size); j += 1) {
      let sum = 0;
      for (let r = 0; r < rows; r += 1) {
        sum += (columns[i * rows + r] as number) * (columns[j * rows + r] as number);
      }
      products[i * size + j] = (products[i * size + j] as number) + sum;
    }
  }
}

/** 4×4 inner products of columns; two passes of 2×4 so that eight sums stay in registers. */
function addTile(
  products: Float64Array,
  size: number,
  columns: Float64Array,
  rows: number,
  top: number,
  left: number,
): void {
  const b0 = left * rows;
  const b1 = b0 + rows;
  const b2 = b1 + rows;
  const b3 = b2 + rows;
  for (let i = top; i < top + TILE; i += 2) {
    const a0 = i * rows;
    const a1 = a0 + rows;
    let s00 = 0;
    let s01 = 0;
    let s02 = 0;
    let s03 = 0;
    let s10 = 0;
    let s11 = 0;
    let s12 = 0;
    let s13 = 0;
    for (let r = 0; r < rows; r += 1) {
      const x0 = columns[a0 + r] as number;
      const x1 = columns[a1 + r] as number;
      const y0 = columns[b0 + r] as number;
      const y1 = columns[b1 + r] as number;
      const y2 = columns[b2 + r] as number;
      const y3 = columns[b3 + r] as number;
      s00 += x0 * y0;
      s01 += x0 * y1;
      s02 += x0 * y2;
      s03 += x0 * y3;
      s10 += x1 * y0;
      s11 += x1 * y1;
      s12 += x1 * y2;
      s13 += x1 * y3;
    }
    const at = i * size + left;
    products[at] = (products[at] as number) + s00;
    products[at + 1] = (products[at + 1] as number) + s01;
    products[at + 2] = (products[at + 2] as number) + s02;
    products[at + 3] = (products[at + 3] as number) + s03;
    products[at + size] = (products[at + size] as number) + s10;
    products[at + size + 1] = (products[at + size + 1] as number) + s11;
    products[at + size + 2] = (products[at + size + 2] as number) + s12;
    products[at + size + 3] = (products[at + size + 3] as number) + s13;
  }
}
