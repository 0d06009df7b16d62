/**
 * I-LayerNorm over the last axis (I-ViT; docs/spec, `layernorm`): with M = 2^31 - 1 and L the length,
 *   μ = rne(Σx / L);  v = Σ(x-μ)²;  k = 2^16, then 10 times k = (k + v//k) >> 1;  y = (((x-μ)·(M//k)) >> 1) + b
 *
 * v is the sum, not the mean, and nothing is added to it. The ten steps are part of the definition: from 2^16 they reach
 * no lower than 64, and for some v they end one above floor(sqrt(v)).
 * Widths: |x-μ| < 2^16 (int16 x), v < 2^48 for L ≤ 2^16, |x-μ|·(M//k) < 2^33: exact in JS numbers, not in int32.
 */
import { divFloor, divRne, INT32_MAX, type IntegerArray } from '@ivit/dyadic';
import { nonlinearError } from './errors.js';

/** Where results go: an Int32Array in programs (whose validator proves the bound); a number[] keeps what leaves int32. */
export type LayerNormOut = Int32Array | number[];

/** The k of the ten Newton steps for 0 ≤ v < 2^53. */
export function newtonDeviation(v: number): number {
  let k = 65536;
  for (let step = 0; step < 10; step++) k = Math.floor((k + divFloor(v, k)) * 0.5);
  return k;
}

/**
 * `y = (((x-μ)·(M // k(v))) >> 1) + b` with μ = rne(Σx/L) and v = Σ(x-μ)², row by row.
 *
 * @param deviation k, from v: at least 1.
 * @throws RangeError (E_NONLINEAR) if `length` is 0 or above 2^20 (v could pass 2^53).
 */
export function normalizeRows(
  deviation: (v: number) => number,
  out: LayerNormOut,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  bias: ArrayLike<number> | null,
): void {
  if (length < 1 || length > 1048576) throw nonlinearError(`rows of ${length} elements`);
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * length;
    const to = outOffset + r * length;
    let sum = 0;
    for (let i = 0; i < length; i++) sum += x[from + i] as number;
    const mean = divRne(sum, length);
    let v = 0;
    for (let i = 0; i < length; i++) {
      const y = (x[from + i] as number) - mean;
      v += y * y;
    }
    const factor = divFloor(INT32_MAX, deviation(v));
    if (bias === null) {
      for (let i = 0; i < length; i++) out[to + i] = Math.floor(((x[from + i] as number) - mean) * factor * 0.5);
    } else {
      for (let i = 0; i < length; i++) {
        out[to + i] = Math.floor(((x[from + i] as number) - mean) * factor * 0.5) + (bias[i] as number);
      }
    }
  }
}

/**
 * I-LayerNorm of `rows` dense rows of `length` elements. x: i8 or i16.
 * @param bias b, one per element of a row, or null for 0.
 * @throws RangeError (E_NONLINEAR) if `length` is 0 or above 2^20 (v could pass 2^53).
 */
export function layerNormRows(
  out: LayerNormOut,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  bias: ArrayLike<number> | null,
): void {
  normalizeRows(newtonDeviation, out, outOffset, x, xOffset, rows, length, bias);
}
