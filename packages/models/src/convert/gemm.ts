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

/** Inner products of 4 rows with 4 rows over k, in index order, into `sums[4·row + column]`. */
function tileProduct(
  a: Float64Array,
  b: Float64Array,
  aStart: number,
  bStart: number,
  k: number,
  sums: Float64Array,
): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
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
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s02;
  sums[3] = s03;
  sums[4] = s10;
  sums[5] = s11;
  sums[6] = s12;
  sums[7] = s13;
  sums[8] = s20;
  sums[9] = s21;
  sums[10] = s22;
  sums[11] = s23;
  sums[12] = s30;
  sums[13] = s31;
  sums[14] = s32;
  sums[15] = s33;
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
  const sums = new Float64Array(TILE * TILE);
  for (let row = 0; row < m; row += TILE) {
    const rows = Math.min(TILE, m - row);
    for (let column = 0; column < n; column += TILE) {
      tileProduct(packedA, packedW, row * k, column * k, k, sums);
      const columns = Math.min(TILE, n - column);
      for (let r = 0; r < rows; r += 1) {
        for (let c = 0; c < columns; c += 1) {
          const offset = bias === undefined ? 0 : (bias[column + c] as number);
          out[(row + r) * n + column + c] = (sums[r * TILE + c] as number) + offset;
        }
      }
    }
  }
  return out;
}
