/**
 * The integer exponential of Shiftmax and ShiftGELU (Li & Gu, I-ViT, 2023; docs/spec, `sexp`).
 *
 * With x0 = floor(-1/s) < 0, s the scale of x:
 *   t = max(x + (x >> 1) - (x >> 4), n·x0)        x·log2(e) ≈ 1.4375 x, two floors of the original x
 *   q = t // x0;  r = t - x0·q                     x0 < r ≤ 0
 *   (r - 2·x0)·2^(n-q-1) if q < n;  -x0 if q = n   (then r = 0)
 * For x ≤ 0, q is in 0 … n; for x > 0 it is negative: the division floors.
 */
import { divFloor, INT32_MAX, POW2 } from '@ivit/dyadic';

/**
 * `min(sexp(x; x0, n), 2^31 - 1)`. x an integer of at most 17 bits, x0 < 0, 1 ≤ n ≤ 30.
 *
 * Saturating each term changes no op: softmax requires sexp(0) ≤ 2^31 - 1, and in ShiftGELU a term at or above 2^31 - 1
 * makes the sum 2^31 - 1 and the gate min(term >> 24, 127) = 127 either way.
 */
export function shiftExp(x: number, x0: number, n: number): number {
  const scaled = x + (x >> 1) - (x >> 4);
  const least = n * x0;
  const t = scaled < least ? least : scaled;
  const q = divFloor(t, x0);
  if (q >= n) return -x0;
  const shift = n - q - 1;
  if (shift > 31) return INT32_MAX; // r - 2·x0 > -x0 ≥ 1: beyond 2^32
  const value = (t - x0 * q - 2 * x0) * (POW2[shift] as number); // < 2^53 for |x0| < 2^19; larger saturates below
  return value > INT32_MAX ? INT32_MAX : value;
}

/**
 * Table form: entry d = `shiftExp(-d, x0, n)`; the last entry, -x0, holds for every larger d.
 * Length ⌈(n·|x0| + 2) / 1.4375⌉ + 1, at most 65536 (the largest distance of two int16).
 */
export function shiftExpTable(x0: number, n: number): Int32Array {
  const needed = divFloor(16 * (2 - n * x0) + 22, 23) + 1;
  const table = new Int32Array(needed < 65536 ? needed : 65536);
  for (let d = 0; d < table.length; d++) table[d] = shiftExp(-d, x0, n);
  return table;
}
