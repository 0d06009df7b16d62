import { IvitError } from '@ivit/program';
import { POW2 } from './pow2-table.js';

/** `rne(log2(e)·2^30)`: 31 bits. */
const LOG2_E = 1549082005;

/** What `weight` needs of a shift s = 0 … 16: all powers of two, so every product with them is exact. */
interface Unit {
  /** 23·2^s. */
  readonly reach: number;
  /** 2^(21+s). */
  readonly half: number;
  /** 2^-(22+s). */
  readonly inverse: number;
}

function unitOf(shift: number): Unit {
  let power = 1;
  let inverse = 1;
  for (let step = 0; step < shift; step++) {
    power *= 2;
    inverse *= 0.5;
  }
  // 2^-22 = 0.5^22.
  for (let step = 0; step < 22; step++) inverse *= 0.5;
  return { reach: 23 * power, half: 2097152 * power, inverse };
}

/**
 * `E = 2^31·2^-x`, rounded down after a 16-bit table, for a logit `distance` units of 2^-s below the largest
 * (x = distance·2^-s·log2(e)); 0 once x > 31.
 *
 * D = round-half-up(distance·LOG2_E / 2^(22+s)) is x in units of 2^-8. A distance of 23·2^s and more has x > 33, so
 * it needs no product; below it, s ≤ 16 gives distance < 2^21 and distance·LOG2_E + 2^(21+s) < 2^52: every step is an
 * exact integer. Then, as in softmax's `pow2` form with F = 8: i = ⌈D/2^8⌉, g = 2^8·i - D, E = (POW2[g]·2^16) >> i.
 */
function weight(distance: number, unit: Unit): number {
  if (distance >= unit.reach) return 0;
  const scaled = Math.floor((distance * LOG2_E + unit.half) * unit.inverse);
  const octaves = (scaled + 255) >> 8;
  if (octaves > 31) return 0;
  const entry = POW2[(octaves << 8) - scaled] as number;
  return octaves <= 16 ? (entry << (16 - octaves)) >>> 0 : entry >> (octaves - 16);
}

/** `round-half-up(part·2^16 / whole)`, 0 ≤ part ≤ whole < 2^52, by restoring division: 16 quotient bits, exact. */
function share(part: number, whole: number): number {
  let quotient = part === whole ? 1 : 0;
  let remainder = part === whole ? 0 : part;
  for (let bit = 0; bit < 16; bit++) {
    remainder *= 2;
    quotient *= 2;
    if (remainder >= whole) {
      remainder -= whole;
      quotient += 1;
    }
  }
  return remainder * 2 >= whole ? quotient + 1 : quotient;
}

/**
 * Integer scores of int32 logits: k with k/65536 ≈ softmax(logits·2^-outputShift), from integer arithmetic alone, so
 * the same on every machine. Equal logits have equal scores and a larger logit never has a smaller one. They sum to
 * 65536 within half a unit per class.
 *
 * @param logits int32, 1 … 2^20 classes (a sum of weights below 2^52)
 * @param outputShift 0 … 31: the logits' unit is 2^-outputShift; distances finer than 2^-16 are rounded down to it
 * @returns k per class, 0 … 65536
 * @throws E_INPUT for another outputShift
 */
export function scores(logits: Int32Array, outputShift: number): Int32Array {
  if (!Number.isInteger(outputShift) || outputShift < 0 || outputShift > 31) {
    throw new IvitError('E_INPUT', `outputShift must be an integer from 0 to 31, not ${outputShift}`);
  }
  const excess = Math.max(0, outputShift - 16);
  const unit = unitOf(outputShift - excess);
  let largest = -2147483648;
  for (const logit of logits) if (logit > largest) largest = logit;
  const weights: number[] = [];
  let sum = 0;
  for (const logit of logits) {
    // The difference is below 2^32, so it is a u32.
    const value = weight((largest - logit) >>> excess, unit);
    weights.push(value);
    sum += value;
  }
  return Int32Array.from(weights, (value) => share(value, sum));
}
