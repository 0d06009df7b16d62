/**
 * Whether a `requantize` vectorizes, and its parameters when it does: see assembly/requantize-rows.ts for the arithmetic.
 *
 * Every shift is brought to 32 by powers of two on m and on x, as far as both stay int32. What does not fit runs one
 * element at a time.
 */
import { bitLength, POW2 } from '@ivit/dyadic';
import type { Interval, RequantizeOp } from '@ivit/program';
import type { DType } from '@ivit/tensor';

/** Terms stay below 2^29, so that three of them add up in int32. */
const TERM_BITS = 29;
/** Largest product of a row factor f on x. */
const LARGEST_F = 31;

export interface ParameterArrays {
  readonly m: ArrayLike<number>;
  readonly e: ArrayLike<number>;
  readonly z: ArrayLike<number>;
  readonly bias: ArrayLike<number> | undefined;
}

export interface VectorForm {
  /** m is multiplied by 2^mUp, x by 2^xUp. */
  readonly mUp: number;
  readonly xUp: number;
  /** Right shift of the high word. */
  readonly shift: number;
  /** A numerator may lie half way between two integers. */
  readonly ties: boolean;
  /** Row form: bits left on x·f and on m for the row's own power of two. */
  readonly xRoom: number;
  readonly mRoom: number;
  readonly addM: number;
  readonly addUp: number;
}

const reach = ({ lo, hi }: Interval): number => Math.max(Math.abs(lo), Math.abs(hi));

/** Bits of the largest magnitude among int32, those of all magnitudes together; of -2^31 they are 32. */
function largestBits(values: ArrayLike<number>): number {
  let bits = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    bits |= value < 0 ? -value : value;
  }
  return 32 - Math.clz32(bits);
}

function same(values: ArrayLike<number>): number | undefined {
  const first = values[0] as number;
  for (let i = 1; i < values.length; i++) if (values[i] !== first) return undefined;
  return first;
}

/** Splits a shift over a multiplier and a value, each of so many bits, so that both stay below 2^31. */
function split(up: number, mBits: number, xBits: number): readonly [number, number] | undefined {
  const mUp = Math.min(up, 31 - mBits);
  return xBits + up - mUp <= 31 ? [mUp, up - mUp] : undefined;
}

/** A tie needs a numerator with exactly e-1 trailing zeros: x has fewer bits than its reach, m its own. */
function mayTie(m: ArrayLike<number>, xBits: number, e: number): boolean {
  const zeros = Math.max(0, e - xBits); // those of m that are needed
  if (e === 0 || zeros > 31) return false;
  const mask = (POW2[zeros] as number) - 1;
  for (let i = 0; i < m.length; i++) {
    const value = m[i] as number;
    if (value !== 0 && (value & mask) === 0) return true;
  }
  return false;
}

/**
 * @param numeratorBits the validator's bound for this op
 * @param x interval of the operand
 * @param addend interval of the addend, where there is one
 */
export function vectorForm(
  op: RequantizeOp,
  parameters: ParameterArrays,
  numeratorBits: number,
  x: { readonly dtype: DType; readonly interval: Interval },
  addend: { readonly dtype: DType; readonly interval: Interval } | undefined,
): VectorForm | undefined {
  const { m, z } = parameters;
  const e = same(parameters.e);
  if (e === undefined || op.channels !== undefined || numeratorBits - e > TERM_BITS) return undefined;
  if (largestBits(z) > TERM_BITS) return undefined;
  const xReach = reach(x.interval);
  const up = Math.max(0, 32 - e);
  const shift = Math.max(0, e - 32);
  const mBits = largestBits(m);
  let addM = 0;
  let addUp = 0;
  if (op.addend !== undefined && addend !== undefined) {
    if (addend.dtype === 'u8' || op.addend.e > 32) return undefined;
    const bits = bitLength(Math.abs(op.addend.m));
    const addBits = bitLength(reach(addend.interval));
    if (bits + addBits - op.addend.e > TERM_BITS) return undefined;
    const parts = split(32 - op.addend.e, bits, addBits);
    if (parts === undefined) return undefined;
    addM = op.addend.m * (POW2[parts[0]] as number);
    addUp = parts[1];
  }
  if (op.row !== undefined) {
    const xBits = bitLength(xReach * LARGEST_F);
    const parts = split(up, mBits, xBits);
    if (x.dtype !== 'i32' || shift > 0 || parts === undefined) return undefined;
    const [mUp, xUp] = parts;
    return { mUp, xUp, shift, ties: true, xRoom: 31 - xBits - xUp, mRoom: 31 - mBits - mUp, addM, addUp };
  }
  if (x.dtype !== 'i32' && x.dtype !== 'i16') return undefined;
  const xBits = bitLength(xReach);
  const parts = split(up, mBits, xBits);
  const ties = mayTie(m, xBits, e);
  if (parts === undefined || (shift > 0 && ties)) return undefined;
  return { mUp: parts[0], xUp: parts[1], shift, ties, xRoom: 0, mRoom: 0, addM, addUp };
}
