/**
 * Convert-time arithmetic of I-ViT checkpoints: IEEE float32, one rounding per operation, in the order of the paper's
 * code. `fround` after a double + - x / sqrt of two float32 is the float32 operation itself: a double has
 * more than 2·24 + 2 bits, so the second rounding never shows.
 */
import { nonlinearError } from '../errors.js';

const fl = Math.fround;

/** Smallest scale: the float32 epsilon, 2^-23. */
export const MINIMUM_SCALE: number = 2 ** -23;

/** Nearest integer, ties to even, of any finite number. */
export function roundHalfEven(x: number): number {
  if (x >= 2251799813685248 || x <= -2251799813685248) {
    const floor = Math.floor(x); // from 2^51 on at most one fraction bit is left
    const rest = x - floor;
    return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  }
  return x + 6755399441055744 - 6755399441055744 + 0;
}

/** `s = max(fl(max(-min, max) / fl(2^(bits-1) - 1)), 2^-23)`, float32. */
export function symmetricScale(min: number, max: number, bits: number): number {
  const low = -fl(min);
  const high = fl(max);
  const scale = fl((low > high ? low : high) / fl(2 ** (bits - 1) - 1));
  if (!Number.isFinite(low) || !Number.isFinite(high)) throw nonlinearError(`no scale for the range ${min} … ${max}`);
  return scale > MINIMUM_SCALE ? scale : MINIMUM_SCALE;
}

/**
 * `clamp(rne(fl(fl(1/s)·x)), -2^(bits-1), 2^(bits-1) - 1)`: multiplied by the float32 reciprocal, not divided.
 * @throws RangeError (E_NONLINEAR) if x or s is no number.
 */
export function quantizeF32(x: number, scale: number, bits: number): number {
  const q = fl(fl(1 / fl(scale)) * fl(x));
  if (Number.isNaN(q)) throw nonlinearError(`cannot quantize ${x} at scale ${scale}`);
  const limit = 2 ** (bits - 1);
  if (q >= limit) return limit - 1; // also +Infinity
  if (q <= -limit) return -limit;
  const rounded = roundHalfEven(q);
  return rounded === limit ? limit - 1 : rounded;
}

/** `floor(fl(fl(1/s)·-1))`: the x0 of Shiftmax for logits at scale s. */
export function softmaxX0(scale: number): number {
  return Math.floor(fl(fl(1 / fl(scale)) * -1));
}

/** The x0 of ShiftGELU for inputs at scale s: that of `fl(s·1.702)`. A program takes |x0| ≤ 127 only. */
export function shiftGeluX0(scale: number): number {
  return softmaxX0(fl(fl(scale) * fl(1.702)));
}

/** `floor(fl(value / s))`: a real attention mask value (Swin: -100) in units of the logits. */
export function maskInteger(value: number, scale: number): number {
  return Math.floor(fl(fl(value) / fl(scale))) + 0;
}

export interface LayerNormIntegers {
  /** `floor(fl(fl(bias/weight) / sf))` per channel; may leave int32 (the builder then converts the norm otherwise). */
  readonly bias: readonly number[];
  /** `fl(sf·weight)` per channel: the scale of I-LayerNorm's result, with the sign of the weight. */
  readonly scale: Float32Array;
}

/**
 * Integer bias and scales of an I-LayerNorm: `sf = fl(fl(sqrt(L)) / 2^30)`.
 * @throws RangeError (E_NONLINEAR) where weight is 0 or a quotient is not finite.
 */
export function layerNormIntegers(bias: ArrayLike<number>, weight: ArrayLike<number>): LayerNormIntegers {
  const length = weight.length;
  if (bias.length !== length) throw nonlinearError(`${bias.length} biases for ${length} weights`);
  const sf = fl(fl(Math.sqrt(length)) / 1073741824);
  const integers: number[] = [];
  const scale = new Float32Array(length);
  for (let c = 0; c < length; c++) {
    const w = fl(weight[c] as number);
    const integer = Math.floor(fl(fl(fl(bias[c] as number) / w) / sf)) + 0;
    if (!Number.isFinite(integer)) throw nonlinearError(`channel ${c}: bias ${bias[c]} over weight ${w}`);
    integers.push(integer);
    scale[c] = fl(sf * w);
  }
  return { bias: integers, scale };
}
