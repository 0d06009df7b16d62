/**
 * Softmax over the last axis, three integer exponentials (docs/spec, `softmax`). M = 2^31 - 1, d = max(x) - x ≥ 0.
 *
 * shift, table:  E = sexp(-d) or table[min(d, D-1)];  S = min(ΣE, M);  f = M // S;  y = min((E·f) >> (32-bits), 2^(bits-1)-1)
 *   E ≤ M. Either S = ΣE ≥ E, so E·f ≤ M, or S = M and f = 1: the product always fits int32.
 * pow2:  i = (d + 2^F - 1) >> F;  g = (i << F) - d;  E = i > 31 ? 0 : T[g] >> i;  S = ΣE ≥ 2^15;
 *   h = max(0, bitlength(S) - 16);  r = M // (S >> h);  y = min((E·r + 2^(31-bits+h)) >> (32-bits+h), 2^(bits-1)-1)
 *   E ≤ 2^15 (d = 0 gives T[0]; g > 0 goes with i ≥ 1) and S >> h ≥ 2^15, so E·r < 2^31 and the sum stays below 2^32 as long
 *   as 31-bits+h ≤ 31. For larger shifts (bits 8 and h ≥ 8: more than 255 keys) the true y is 0, which is what is written.
 */
import { bitLength, divFloor, INT32_MAX, INVERSE_POW2, type IntegerArray } from '@ivit/dyadic';
import { nonlinearError } from './errors.js';
import { POW2_FRACTION, POW2_FRACTION_BITS } from './pow2-table.js';
import { shiftExp } from './shift-exp.js';

/** `shift`: x0 < 0 and n; `table`: positive, non-increasing; `pow2`: F, 0 … 8, x in units of 2^-F in the log2 domain. */
export type SoftmaxExponential =
  | { readonly shift: number; readonly n: number }
  | { readonly table: Int32Array }
  | { readonly pow2: number };

function rowMaximum(x: IntegerArray, from: number, length: number): number {
  let largest = x[from] as number;
  for (let i = 1; i < length; i++) {
    const value = x[from + i] as number;
    if (value > largest) largest = value;
  }
  return largest;
}

function softmaxShiftRows(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  x0: number,
  n: number,
  bits: 8 | 16,
): void {
  const down = 32 - bits;
  const top = bits === 8 ? 127 : 32767;
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * length;
    const to = outOffset + r * length;
    const largest = rowMaximum(x, from, length);
    let sum = 0; // ≤ 2^31 · length
    for (let i = 0; i < length; i++) sum += shiftExp((x[from + i] as number) - largest, x0, n);
    const factor = divFloor(INT32_MAX, sum < INT32_MAX ? sum : INT32_MAX);
    for (let i = 0; i < length; i++) {
      const y = Math.imul(shiftExp((x[from + i] as number) - largest, x0, n), factor) >> down;
      out[to + i] = y < top ? y : top;
    }
  }
}

function softmaxTableRows(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  table: Int32Array,
  bits: 8 | 16,
): void {
  const down = 32 - bits;
  const top = bits === 8 ? 127 : 32767;
  const last = table.length - 1;
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * length;
    const to = outOffset + r * length;
    const largest = rowMaximum(x, from, length);
    let sum = 0;
    for (let i = 0; i < length; i++) {
      const d = largest - (x[from + i] as number);
      sum += table[d < last ? d : last] as number;
    }
    const factor = divFloor(INT32_MAX, sum < INT32_MAX ? sum : INT32_MAX);
    for (let i = 0; i < length; i++) {
      const d = largest - (x[from + i] as number);
      const y = Math.imul(table[d < last ? d : last] as number, factor) >> down;
      out[to + i] = y < top ? y : top;
    }
  }
}

/** E of the pow2 form; `step` = 2^(8-F) picks the table for F bits. */
function pow2Exp(d: number, fraction: number, round: number, step: number): number {
  const i = (d + round) >> fraction;
  return i > 31 ? 0 : (POW2_FRACTION[((i << fraction) - d) * step] as number) >> i;
}

function softmaxPow2Rows(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  fraction: number,
  bits: 8 | 16,
): void {
  const round = (1 << fraction) - 1;
  const step = 1 << (POW2_FRACTION_BITS - fraction);
  const top = bits === 8 ? 127 : 32767;
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * length;
    const to = outOffset + r * length;
    const largest = rowMaximum(x, from, length);
    let sum = 0; // 2^15 ≤ sum ≤ 2^15 · length
    for (let i = 0; i < length; i++) sum += pow2Exp(largest - (x[from + i] as number), fraction, round, step);
    const excess = bitLength(sum) - 16;
    const h = excess > 0 ? excess : 0;
    const down = 32 - bits + h;
    if (down > 31) {
      for (let i = 0; i < length; i++) out[to + i] = 0;
      continue;
    }
    const factor = divFloor(INT32_MAX, Math.floor(sum * (INVERSE_POW2[h] as number)));
    const half = 1 << (down - 1); // ≤ 2^30
    for (let i = 0; i < length; i++) {
      const e = pow2Exp(largest - (x[from + i] as number), fraction, round, step);
      const y = (Math.imul(e, factor) + half) >>> down;
      out[to + i] = y < top ? y : top;
    }
  }
}

/**
 * Softmax of `rows` dense rows of `length` elements. x: i8 or i16; out: i8 for bits 8, i16 for bits 16, in units of
 * 2^-(bits-1). In place is allowed for equal types. Allocates nothing; `{ table: shiftExpTable(x0, n) }` gives the bits of
 * `{ shift: x0, n }` three to four times as fast.
 * @throws RangeError (E_NONLINEAR) for parameters outside their ranges.
 */
export function softmaxRows(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  exponential: SoftmaxExponential,
  bits: 8 | 16,
): void {
  if (length < 1) throw nonlinearError(`rows of ${length} elements`);
  if ('table' in exponential) {
    if (exponential.table.length === 0) throw nonlinearError('an empty table');
    softmaxTableRows(out, outOffset, x, xOffset, rows, length, exponential.table, bits);
  } else if ('pow2' in exponential) {
    const fraction = exponential.pow2;
    checkPow2(fraction);
    softmaxPow2Rows(out, outOffset, x, xOffset, rows, length, fraction, bits);
  } else {
    checkShiftExp(exponential.shift, exponential.n, 30);
    softmaxShiftRows(out, outOffset, x, xOffset, rows, length, exponential.shift, exponential.n, bits);
  }
}

/** E as a function of the distance d ≥ 0 from the row's maximum. @throws RangeError (E_NONLINEAR) as {@link softmaxRows}. */
export function exponentialAt(exponential: SoftmaxExponential): (d: number) => number {
  if ('table' in exponential) {
    const { table } = exponential;
    if (table.length === 0) throw nonlinearError('an empty table');
    const last = table.length - 1;
    return (d) => table[d < last ? d : last] as number;
  }
  if ('pow2' in exponential) {
    const { pow2 } = exponential;
    checkPow2(pow2);
    return (d) => pow2Exp(d, pow2, (1 << pow2) - 1, 1 << (POW2_FRACTION_BITS - pow2));
  }
  const { shift, n } = exponential;
  checkShiftExp(shift, n, 30);
  return (d) => shiftExp(-d, shift, n);
}

function checkPow2(fraction: number): void {
  if (!Number.isInteger(fraction) || fraction < 0 || fraction > POW2_FRACTION_BITS) {
    throw nonlinearError(`pow2 ${fraction} is not in 0 … ${POW2_FRACTION_BITS}`);
  }
}

/** @throws RangeError (E_NONLINEAR) unless x0 is a negative int32 and n is in 1 … largest. */
export function checkShiftExp(x0: number, n: number, largest: number): void {
  if (!Number.isInteger(x0) || x0 >= 0 || x0 < -INT32_MAX) throw nonlinearError(`x0 ${x0} is not a negative int32`);
  if (!Number.isInteger(n) || n < 1 || n > largest) throw nonlinearError(`n ${n} is not in 1 … ${largest}`);
}
