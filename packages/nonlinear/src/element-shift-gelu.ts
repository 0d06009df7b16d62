/**
 * ShiftGELU without the row's maximum: each element stands alone. I-ViT (Li & Gu, 2023, algorithm 2) subtracts the maximum
 * of the whole row before both exponentials, which ties every element to its row and runs out of n octaves where the maximum
 * is large; two exponentials e^(x-p), e^(-p) stay in range with p = max(x, 0) already:
 *
 *   p = max(x, 0);  e = sexp(x - p);  F = sexp(-p);  y = x·min((e·(M // min(e + F, M))) >> 24, 127)
 *
 * This is ShiftGELU of the row (x, 0), and a function of one number: a table.
 */
import { divFloor, INT32_MAX } from '@ivit/dyadic';
import { shiftExp } from './shift-exp.js';
import { checkShiftExp } from './softmax.js';

/** The gate: sigmoid(1.702·s·x) in units of 2^-7, 0 … 127. x of at most 16 bits, x0 < 0, 1 ≤ n ≤ 23. */
export function shiftGate(x: number, x0: number, n: number): number {
  const p = x > 0 ? x : 0;
  const e = shiftExp(x - p, x0, n);
  const sum = e + shiftExp(-p, x0, n);
  const gate = Math.imul(e, divFloor(INT32_MAX, sum < INT32_MAX ? sum : INT32_MAX)) >> 24;
  return gate < 127 ? gate : 127;
}

/** y, in units of s·2^-7. */
export function elementShiftGelu(x: number, x0: number, n: number): number {
  return x * shiftGate(x, x0, n) + 0;
}

/** Table form for `lookup` on int8: entry x + 128, i16. @throws RangeError (E_NONLINEAR) */
export function elementShiftGeluTable(x0: number, n: number): Int16Array {
  checkShiftExp(x0, n, 23);
  return Int16Array.from({ length: 256 }, (_, i) => elementShiftGelu(i - 128, x0, n));
}
