/**
 * Exact integer matrix product in plain TypeScript: `y[i,j] = bias[j] + Σ_k a[i,k]·b[j,k]`, a 8 or 16 bit, b 8 bit, y int32.
 *
 * Two columns of b share one JS number: `pair[k] = b[j,k] + b[j+1,k]·2^26`, so one double multiply-add does two
 * multiply-accumulates. The sum is S0 + S1·2^26 with S0, S1 the two integer dot products. As long as |S0|, |S1| < 2^25
 * every partial sum is an integer below 2^51 + 2^25 < 2^53: exact in any order. Then S1 = rne(sum·2^-26), because S0
 * moves it by less than 1/2, and S0 = sum - S1·2^26.
 * |S| ≤ max|b|·Σ_k|a[i,k]|; where that may reach 2^25, k is cut into stretches that cannot, and the int32 results add up
 * (modulo 2^32 in between, which the caller's bound on the total makes harmless).
 *
 * Layout: panels of 8 columns, `panels[(panel·K + k)·4 + t]` = the pair of columns 8·panel + 2t and + 1; missing columns
 * are 0. Rows of a are converted 16 at a time into a scratch that stays in the cache. 2 rows × 8 columns per inner loop:
 * 8 sums, 4 pairs and 2 row elements fit the 16 vector registers of x64.
 * Measured against int32 kernels of 2×2, 2×4 and 4×4 (`Math.imul`, |0): about three times as fast (README).
 */
import type { IntegerArray } from './dtype.js';
import { tensorError } from './errors.js';

const COLUMNS = 8;
const ROW_BLOCK = 16;
const TWO_26 = 67108864;
const INVERSE_TWO_26 = 1.4901161193847656e-8;
const SUM_LIMIT = 33554432; // 2^25
const MAGIC = 6755399441055744; // 1.5 * 2^52: adding and subtracting it rounds to nearest, ties to even

/** Elements of the left operand. */
export type GemmLeft = Int8Array | Uint8Array | Int16Array;

/** The right operand, packed: make with {@link packMatrix}, refill with {@link repackMatrix}. */
export interface PackedMatrix {
  /** Columns of the product. */
  n: number;
  /** Length of the dot products. */
  k: number;
  /** Largest |b|, at least 1. */
  maxAbs: number;
  /** Plain numbers on purpose: integers of up to 34 bits. */
  readonly panels: number[];
  /** Scratch of {@link gemmPacked}: 16 rows of a. */
  readonly rows: number[];
}

/** Grows a list of plain numbers kept in double representation (never small-integer, never holey). */
function grow(list: number[], length: number): void {
  while (list.length < length) list.push(-0);
}

/** An empty packed matrix: storage for {@link repackMatrix}. */
export function createPackedMatrix(): PackedMatrix {
  return { n: 0, k: 0, maxAbs: 1, panels: [], rows: [] };
}

/**
 * Packs `b[j,k] = data[offset + j·strideJ + k·strideK]`, j in 0 … n-1, k in 0 … k-1, into `packed`, which grows when needed
 * and is otherwise reused. Weights `[N,K]`: strideJ = K, strideK = 1. A matmul operand `[K,N]`: strideJ = 1, strideK = N.
 */
export function repackMatrix(
  packed: PackedMatrix,
  data: Int8Array,
  offset: number,
  n: number,
  k: number,
  strideJ: number,
  strideK: number,
): void {
  const { panels } = packed;
  const panelCount = Math.floor((n + COLUMNS - 1) * 0.125);
  grow(panels, panelCount * k * 4);
  grow(packed.rows, ROW_BLOCK * k);
  let maxAbs = 1;
  for (let panel = 0; panel < panelCount; panel++) {
    for (let t = 0; t < 4; t++) {
      const j = panel * COLUMNS + 2 * t;
      const hasLow = j < n;
      const hasHigh = j + 1 < n;
      let from = offset + j * strideJ;
      let to = panel * k * 4 + t;
      for (let i = 0; i < k; i++, from += strideK, to += 4) {
        const low = hasLow ? (data[from] as number) : 0;
        const high = hasHigh ? (data[from + strideJ] as number) : 0;
        panels[to] = low + high * TWO_26;
        const absLow = low < 0 ? -low : low;
        const absHigh = high < 0 ? -high : high;
        if (absLow > maxAbs) maxAbs = absLow;
        if (absHigh > maxAbs) maxAbs = absHigh;
      }
    }
  }
  packed.n = n;
  packed.k = k;
  packed.maxAbs = maxAbs;
}

/** Packs weights `[N,K]` (row stride K) once. @throws RangeError (E_GEMM) if `data` is shorter than N·K. */
export function packMatrix(data: Int8Array, n: number, k: number): PackedMatrix {
  if (data.length < n * k) throw tensorError('E_GEMM', `${data.length} weights, ${n}·${k} needed`);
  const packed = createPackedMatrix();
  repackMatrix(packed, data, 0, n, k, k, 1);
  return packed;
}

/** Splits S0 + S1·2^26 and stores or adds both. */
function put(out: Int32Array, at: number, sum: number, add: boolean): void {
  const high = sum * INVERSE_TWO_26 + MAGIC - MAGIC;
  const low = sum - high * TWO_26;
  out[at] = add ? (out[at] as number) + low : low;
  out[at + 1] = add ? (out[at + 1] as number) + high : high;
}

/** The same at the right edge: `left` columns remain. */
function putEdge(out: Int32Array, at: number, sum: number, add: boolean, left: number): void {
  if (left <= 0) return;
  const high = sum * INVERSE_TWO_26 + MAGIC - MAGIC;
  const low = sum - high * TWO_26;
  out[at] = add ? (out[at] as number) + low : low;
  if (left > 1) out[at + 1] = add ? (out[at + 1] as number) + high : high;
}

/** Two rows times one panel over `length` values of k; `second` < 0 for a single row. */
function rowPair(
  out: Int32Array,
  first: number,
  second: number,
  rows: number[],
  row0: number,
  row1: number,
  panels: number[],
  panelStart: number,
  length: number,
  columns: number,
  add: boolean,
): void {
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  for (let k = 0, p = panelStart; k < length; k++, p += 4) {
    const x0 = rows[row0 + k] as number;
    const x1 = rows[row1 + k] as number;
    const y0 = panels[p] as number;
    const y1 = panels[p + 1] as number;
    const y2 = panels[p + 2] as number;
    const y3 = panels[p + 3] as number;
    c00 += x0 * y0;
    c01 += x0 * y1;
    c02 += x0 * y2;
    c03 += x0 * y3;
    c10 += x1 * y0;
    c11 += x1 * y1;
    c12 += x1 * y2;
    c13 += x1 * y3;
  }
  if (columns >= COLUMNS) {
    put(out, first, c00, add);
    put(out, first + 2, c01, add);
    put(out, first + 4, c02, add);
    put(out, first + 6, c03, add);
    if (second < 0) return;
    put(out, second, c10, add);
    put(out, second + 2, c11, add);
    put(out, second + 4, c12, add);
    put(out, second + 6, c13, add);
    return;
  }
  putEdge(out, first, c00, add, columns);
  putEdge(out, first + 2, c01, add, columns - 2);
  putEdge(out, first + 4, c02, add, columns - 4);
  putEdge(out, first + 6, c03, add, columns - 6);
  if (second < 0) return;
  putEdge(out, second, c10, add, columns);
  putEdge(out, second + 2, c11, add, columns - 2);
  putEdge(out, second + 4, c12, add, columns - 4);
  putEdge(out, second + 6, c13, add, columns - 6);
}

/**
 * Converts rows of a to plain numbers and returns the longest stretch of k whose sums stay below 2^25: all of K when
 * `max|b|·Σ|a|` of every row does, else by the largest element.
 */
function loadRows(
  rows: number[],
  a: GemmLeft,
  aStart: number,
  aRowStride: number,
  count: number,
  packed: PackedMatrix,
) {
  const { k, maxAbs } = packed;
  let largest = 1;
  let largestSum = 0;
  for (let r = 0; r < count; r++) {
    const from = aStart + r * aRowStride;
    const to = r * k;
    let sum = 0;
    for (let i = 0; i < k; i++) {
      const value = a[from + i] as number;
      rows[to + i] = value;
      const size = value < 0 ? -value : value;
      sum += size;
      if (size > largest) largest = size;
    }
    if (sum > largestSum) largestSum = sum;
  }
  if (largestSum * maxAbs < SUM_LIMIT) return k;
  let stretch = 1; // largest * maxAbs <= 2^15 * 2^7
  while (stretch < k && (stretch + 1) * largest * maxAbs < SUM_LIMIT) stretch += 1;
  return stretch;
}

/**
 * `out[outOffset + i·outRowStride + j] = bias[j] + Σ_k a[aOffset + i·aRowStride + k]·b[j,k]`, i in 0 … m-1.
 * Exact whenever the result fits int32 (the caller's proof); elements of a along k are adjacent. Allocates nothing.
 * @param bias int32 `[N]` or null.
 * @throws RangeError (E_GEMM) if an index would leave an array.
 */
export function gemmPacked(
  out: Int32Array,
  outOffset: number,
  outRowStride: number,
  a: GemmLeft,
  aOffset: number,
  aRowStride: number,
  m: number,
  packed: PackedMatrix,
  bias: Int32Array | null,
): void {
  const { n, k, panels, rows } = packed;
  if (m < 1 || n < 1 || k < 1) throw tensorError('E_GEMM', `empty product ${m}x${n}x${k}`);
  if (aOffset < 0 || aOffset + (m - 1) * aRowStride + k > a.length || aRowStride < 0) {
    throw tensorError('E_GEMM', `the left operand of ${m}x${n}x${k} leaves its array`);
  }
  if (outOffset < 0 || outOffset + (m - 1) * outRowStride + n > out.length || outRowStride < n) {
    throw tensorError('E_GEMM', `the result of ${m}x${n}x${k} leaves its array`);
  }
  if (bias !== null && bias.length < n) throw tensorError('E_GEMM', `${bias.length} biases for ${n} columns`);
  for (let block = 0; block < m; block += ROW_BLOCK) {
    const count = m - block < ROW_BLOCK ? m - block : ROW_BLOCK;
    const stretch = loadRows(rows, a, aOffset + block * aRowStride, aRowStride, count, packed);
    const outBlock = outOffset + block * outRowStride;
    if (bias !== null) {
      for (let r = 0; r < count; r++) {
        const to = outBlock + r * outRowStride;
        for (let j = 0; j < n; j++) out[to + j] = bias[j] as number;
      }
    }
    for (let start = 0; start < k; start += stretch) {
      const length = k - start < stretch ? k - start : stretch;
      const add = bias !== null || start > 0;
      for (let j = 0; j < n; j += COLUMNS) {
        const panelStart = j * k * 0.5 + start * 4; // (j / 8) * k * 4
        for (let r = 0; r < count; r += 2) {
          const single = r + 1 === count;
          const first = outBlock + r * outRowStride + j;
          const row = r * k + start;
          const second = single ? -1 : first + outRowStride;
          rowPair(out, first, second, rows, row, single ? row : row + k, panels, panelStart, length, n - j, add);
        }
      }
    }
  }
}

/**
 * `out = bias + a·bᵀ` with b unpacked: `b[j,k] = b[bOffset + j·bStrideN + k·bStrideK]`. Packs into `scratch`, then
 * {@link gemmPacked}. For weights used more than once keep a {@link packMatrix} instead.
 * @throws RangeError (E_GEMM)
 */
export function gemm(
  out: Int32Array,
  outOffset: number,
  outRowStride: number,
  a: GemmLeft,
  aOffset: number,
  aRowStride: number,
  b: Int8Array,
  bOffset: number,
  bStrideN: number,
  bStrideK: number,
  m: number,
  n: number,
  k: number,
  bias: Int32Array | null,
  scratch: PackedMatrix,
): void {
  const last = bOffset + (n - 1) * bStrideN + (k - 1) * bStrideK;
  if (bOffset < 0 || bStrideN < 0 || bStrideK < 0 || last >= b.length) {
    throw tensorError('E_GEMM', `the right operand of ${m}x${n}x${k} leaves its array`);
  }
  repackMatrix(scratch, b, bOffset, n, k, bStrideN, bStrideK);
  gemmPacked(out, outOffset, outRowStride, a, aOffset, aRowStride, m, scratch, bias);
}

/** Any integer array the product accepts on the left. */
export function isGemmLeft(array: IntegerArray): array is GemmLeft {
  return !(array instanceof Int32Array);
}
