/**
 * ShiftGELU over the last axis (I-ViT; docs/spec, `shiftgelu`): with p = max of the row and M = 2^31 - 1,
 *   E = sexp(x-p);  F = min(sexp(-p), M);  S = min(E+F, M);  y = x·min((E·(M//S)) >> 24, 127)
 * so |y| ≤ 128·127, in units of s·2^-7. E·(M//S) ≤ M as E ≤ S, or S = M and the factor is 1.
 * E depends on p - x alone, 0 … 255 for int8: looked up.
 */
import { divFloor, INT32_MAX, type IntegerArray } from '@ivit/dyadic';
import { nonlinearError } from './errors.js';
import { shiftExp } from './shift-exp.js';
import { checkShiftExp } from './softmax.js';

/** E of every distance an int8 row can have; compute once per op. @throws RangeError (E_NONLINEAR) */
export function shiftGeluTable(x0: number, n: number): Int32Array {
  checkShiftExp(x0, n, 23);
  const table = new Int32Array(256);
  for (let d = 0; d < 256; d++) table[d] = shiftExp(-d, x0, n);
  return table;
}

/**
 * ShiftGELU of `rows` dense int8 rows of `length` elements; out i16.
 *
 * A program requires |x0| ≤ 127; beyond it (s·1.702 below 1/127) the formulas still hold, terms saturate and the gate is at
 * most 127.
 * @param table `shiftGeluTable(x0, n)`.
 * @throws RangeError (E_NONLINEAR) for parameters outside their ranges.
 */
export function shiftGeluRows(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  x0: number,
  n: number,
  table: Int32Array = shiftGeluTable(x0, n),
): void {
  if (length < 1) throw nonlinearError(`rows of ${length} elements`);
  checkShiftExp(x0, n, 23);
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * length;
    const to = outOffset + r * length;
    let largest = x[from] as number;
    for (let i = 1; i < length; i++) {
      const value = x[from + i] as number;
      if (value > largest) largest = value;
    }
    const other = shiftExp(-largest, x0, n);
    for (let i = 0; i < length; i++) {
      const value = x[from + i] as number;
      const e = table[largest - value] as number;
      const sum = e + other;
      const gate = Math.imul(e, divFloor(INT32_MAX, sum < INT32_MAX ? sum : INT32_MAX)) >> 24;
      out[to + i] = value * (gate < 127 ? gate : 127);
    }
  }
}
