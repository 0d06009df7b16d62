/**
 * Log-Int-Softmax (Lin et al., "FQ-ViT", IJCAI 2022, section 3.3, and its code): probabilities as codes c that stand for
 * 2^-c, so that P·V is a sum of shifted values. With B = 2^bits - 1, d = max(x) - x and E(d) an integer exponential:
 *
 *   S = ΣE;  r = rne(S / E) ≥ 1;  ρ = ⌊log2 r⌋;  c = min(ρ + (r ≥ 3·2^(ρ-1) ? 1 : 0), B)        E = 0: c = B
 *
 * The logarithm rounds at the arithmetic middle of two powers, as in the code (`log_round`). The code also drops what lies
 * beyond 2^-B; the paper clips it, and so does this. Then 2^-c ≤ 1.5·E/S wherever nothing was clipped, so that
 * Σ 2^(B-c) ≤ 1.5·2^B + L: what keeps P·V inside int32.
 */
import { bitLength, divRne, type IntegerArray, POW2 } from '@ivit/dyadic';
import { nonlinearError } from './errors.js';
import { exponentialAt, type SoftmaxExponential } from './softmax.js';

/** c of an exponential E ≥ 0 in a row that sums to S ≥ E; S < 2^31. */
export function log2Code(e: number, sum: number, most: number): number {
  if (e === 0) return most;
  const r = divRne(sum, e);
  const whole = bitLength(r) - 1;
  const code = 2 * r >= 3 * (POW2[whole] as number) ? whole + 1 : whole;
  return code < most ? code : most;
}

/**
 * Codes of `rows` dense rows of `length` elements. x: i8 or i16; out: u8.
 * @param bits 2 … 4: codes 0 … 2^bits - 1.
 * @throws RangeError (E_NONLINEAR) for parameters outside their ranges, or where a sum could pass 2^31 - 1.
 */
export function log2SoftmaxRows(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  exponential: SoftmaxExponential,
  bits: number,
): void {
  if (length < 1) throw nonlinearError(`rows of ${length} elements`);
  if (!Number.isInteger(bits) || bits < 2 || bits > 4) throw nonlinearError(`${bits} bits are not 2 … 4`);
  const at = exponentialAt(exponential);
  if (length * at(0) > 2147483647) throw nonlinearError(`the sum of ${length} exponentials may pass 2^31 - 1`);
  const most = (POW2[bits] as number) - 1;
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * length;
    let largest = x[from] as number;
    for (let i = 1; i < length; i++) {
      const value = x[from + i] as number;
      if (value > largest) largest = value;
    }
    let sum = 0;
    for (let i = 0; i < length; i++) sum += at(largest - (x[from + i] as number));
    for (let i = 0; i < length; i++) {
      out[outOffset + r * length + i] = log2Code(at(largest - (x[from + i] as number)), sum, most);
    }
  }
}

/**
 * P·V of codes: `y[i,j] = Σ_k b[k,j]·2^(B - a[i,k])`; a u8 codes `[rows,inner]`, b i8 `[inner,columns]`, out i32.
 * The caller bounds the sums (`matmul` in docs/spec).
 */
export function log2Product(
  out: IntegerArray,
  outOffset: number,
  a: IntegerArray,
  aOffset: number,
  b: IntegerArray,
  bOffset: number,
  rows: number,
  inner: number,
  columns: number,
  bits: number,
): void {
  const most = (POW2[bits] as number) - 1;
  const sums = new Array<number>(columns);
  for (let i = 0; i < rows; i++) {
    sums.fill(0);
    for (let k = 0; k < inner; k++) {
      const weight = POW2[most - (a[aOffset + i * inner + k] as number)] as number;
      const line = bOffset + k * columns;
      for (let j = 0; j < columns; j++) sums[j] = (sums[j] as number) + (b[line + j] as number) * weight;
    }
    for (let j = 0; j < columns; j++) out[outOffset + i * columns + j] = sums[j] as number;
  }
}
