/** Rows of `a` and columns of the result per register tile: 4×4 sums in doubles. */
const TILE = 4;

/** Rows of `source [rows,k]` packed by 4, k-major inside: `packed[(tile·k + i)·4 + row]`; missing rows are 0. */
function pack(source: Float32Array, rows: number, k: number): Float64Array {
  const tiles = Math.ceil(rows / TILE);
  const packed = new Float64Array(tiles * k * TILE);
  for (let row = 0; row < rows; row += 1) {
    const from = row * k;
    let to = Math.floor(row / TILE) * k * TILE + (row % TILE);
    for (let i = 0; i < k; i += 1, to += TILE) packed[to] = source[from + i] as number;
  }
  return packed;
}

/**
 * Indices of k per pass: two panels of 4·256 doubles stay in a 32 KiB first-level cache. Between passes the sums rest in
 * float64, so their order and bits are those of one pass.
 */
const DEPTH = 256;

/** Adds the inner products of 4 packed rows with 4 over `k` indices, in index order, to `sums[at + 4·row + column]`. */
function tileProduct(
  a: Float64Array,
  b: Float64Array,
  aStart: number,
  bStart: number,
  k: number,
  sums: Float64Array,
  at: number,
): void {
  let s00 = sums[at + 0] as number;
  let s01 = sums[at + 1] as number;
  let s02 = sums[at + 2] as number;
  let s03 = sums[at + 3] as number;
  let s10 = sums[at + 4] as number;
  let s11 = sums[at + 5] as number;
  let s12 = sums[at + 6] as number;
  let s13 = sums[at + 7] as number;
  let s20 = sums[at + 8] as number;
  let s21 = sums[at + 9] as number;
  let s22 = sums[at + 10] as number;
  let s23 = sums[at + 11] as number;
  let s30 = sums[at + 12] as number;
  let s31 = sums[at + 13] as number;
  let s32 = sums[at + 14] as number;
  let s33 = sums[at + 15] as number;
  const end = aStart + k * TILE;
  for (let i = aStart, j = bStart; i < end; i += TILE, j += TILE) {
    const b0 = b[j] as number;
    const b1 = b[j + 1] as number;
    const b2 = b[j + 2] as number;
    const b3 = b[j + 3] as number;
    const a0 = a[i] as number;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    const a1 = a[i + 1] as number;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    const a2 = a[i + 2] as number;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    const a3 = a[i + 3] as number;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
  }
  sums[at + 0] = s00;
  sums[at + 1] = s01;
  sums[at + 2] = s02;
  sums[at + 3] = s03;
  sums[at + 4] = s10;
  sums[at + 5] = s11;
  sums[at + 6] = s12;
  sums[at + 7] = s13;
  sums[at + 8] = s20;
  sums[at + 9] = s21;
  sums[at + 10] = s22;
  sums[at + 11] = s23;
  sums[at + 12] = s30;
  sums[at + 13] = s31;
  sums[at + 14] = s32;
  sums[at + 15] = s33;
}

/**
 * `out[i,j] = f32(Σ_k a[i,k]·w[j,k] + bias[j])`: products and sums in float64, k ascending, one rounding to
 * float32 at the end. The order is fixed, so the result has the same bits on every engine.
 *
 * @param a `[m,k]` row-major.
 * @param w `[n,k]` row-major (as a linear layer stores it).
 * @param bias `[n]`, or undefined for none.
 * @param out `[m,n]`, written and returned; allocated when absent. May not alias `a` or `w`.
 * @throws RangeError when a length does not fit its shape.
 */
export function matmulF32(
  a: Float32Array,
  w: Float32Array,
  bias: Float32Array | undefined,
  m: number,
  n: number,
  k: number,
  out: Float32Array = new Float32Array(m * n),
): Float32Array {
  if (a.length !== m * k) throw new RangeError(`a has ${a.length} elements, [${m},${k}] needs ${m * k}`);
  if (w.length !== n * k) throw new RangeError(`w has ${w.length} elements, [${n},${k}] needs ${n * k}`);
  if (bias !== undefined && bias.length !== n) throw new RangeError(`bias has ${bias.length} elements instead of ${n}`);
  if (out.length !== m * n) throw new RangeError(`out has ${out.length} elements, [${m},${n}] needs ${m * n}`);
  const packedA = pack(a, m, k);
  const packedW = pack(w, n, k);
  const rowTiles = Math.ceil(m / TILE);
  const columnTiles = Math.ceil(n / TILE);
  const sums = new Float64Array(rowTiles * columnTiles * TILE * TILE);
  for (let start = 0; start < k; start += DEPTH) {
    const depth = Math.min(DEPTH, k - start);
    for (let column = 0; column < columnTiles; column += 1) {
      const wStart = (column * k + start) * TILE;
      for (let row = 0; row < rowTiles; row += 1) {
        const at = (row * columnTiles + column) * TILE * TILE;
        tileProduct(packedA, packedW, (row * k + start) * TILE, wStart, depth, sums, at);
      }
    }
  }
  for (let row = 0; row < m; row += 1) {
    const tileRow = Math.floor(row / TILE) * columnTiles * TILE * TILE + (row % TILE) * TILE;
    for (let column = 0; column < n; column += 1) {
      const inTile = column % TILE;
      const at = tileRow + (column - inTile) * TILE + inTile;
      out[row * n + column] = (sums[at] as number) + (bias === undefined ? 0 : (bias[column] as number));
    }
  }
  return out;
}
