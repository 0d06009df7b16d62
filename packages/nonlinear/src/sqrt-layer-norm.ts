/**
 * LayerNorm with I-BERT's exact integer square root (Kim et al., 2021, section 3.4.3, algorithm 4) where I-LayerNorm takes
 * ten Newton steps. No op of ivit/1 computes it; it stands here to measure what the ten steps cost.
 */
import { bitLength, divFloor, type IntegerArray, POW2 } from '@ivit/dyadic';
import { type LayerNormOut, normalizeRows } from './layer-norm.js';

/**
 * ⌊√v⌋ for 0 ≤ v < 2^53: x = 2^⌈bits(v)/2⌉, then x' = ⌊(x + ⌊v/x⌋)/2⌋ until it no longer falls.
 * The start is at least √v, so every step falls until the root is reached.
 */
export function integerSqrt(v: number): number {
  if (v === 0) return 0;
  let x = POW2[(bitLength(v) + 1) >> 1] as number;
  for (;;) {
    const next = divFloor(x + divFloor(v, x), 2);
    if (next >= x) return x;
    x = next;
  }
}

/** max(1, ⌊√v⌋) */
function rootDeviation(v: number): number {
  return Math.max(1, integerSqrt(v));
}

/**
 * `y = (((x-μ)·(M // k)) >> 1) + b` with μ = rne(Σx/L), k = max(1, ⌊√Σ(x-μ)²⌋): I-LayerNorm but for k.
 * @throws RangeError (E_NONLINEAR) if `length` is 0 or above 2^20.
 */
export function sqrtLayerNormRows(
  out: LayerNormOut,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  bias: ArrayLike<number> | null,
): void {
  normalizeRows(rootDeviation, out, outOffset, x, xOffset, rows, length, bias);
}
