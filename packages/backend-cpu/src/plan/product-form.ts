/**
 * Smallest sizes at which seven products of quarters beat eight: below, starting a tile costs what it saves, or making the
 * panels, which takes as long as the products of 4 rows.
 */
const LEAST_ROWS = 24;
const LEAST_K = 128;
const LEAST_N = 64;

/**
 * Whether a product of int8 by constant int8 weights goes by gemm-strassen.ts.
 *
 * @param rows rows of the left side
 * @param k columns of the left side: halves of whole pairs
 * @param n columns of the right side: halves of whole panels
 */
export function gainsByStrassen(rows: number, k: number, n: number): boolean {
  return rows >= LEAST_ROWS && k >= LEAST_K && n >= LEAST_N && k % 4 === 0 && n % 16 === 0;
}
