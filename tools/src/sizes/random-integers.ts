import type { RecipeEdge, RecipeLinear, RowScaling, StaticScaling } from '@ivit/models';

/** Seeded 32-bit words (xorshift32), and what is made of them: parameters that no training ever saw. */
export interface RandomIntegers {
  /** Uniform in 0 … 2^32-1. */
  word(): number;
  /** Difference of two uniform 7-bit numbers: -127 … 127, standard deviation 52. */
  weights(count: number): Int8Array;
  /** Sum of four uniform numbers around `center`, of about this standard deviation, saturated to int16. */
  int16(count: number, deviation: number, center?: number): Int16Array;
}

export function createRandomIntegers(seed: number): RandomIntegers {
  let state = seed | 0 || 1;
  const word = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return {
    word,
    weights(count) {
      const data = new Int8Array(count);
      for (let i = 0; i < count; i += 2) {
        const bits = word();
        data[i] = (bits & 127) - ((bits >>> 7) & 127);
        if (i + 1 < count) data[i + 1] = ((bits >>> 14) & 127) - ((bits >>> 21) & 127);
      }
      return data;
    },
    int16(count, deviation, center = 0) {
      return Int16Array.from({ length: count }, () => {
        const bits = word();
        const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510;
        // The sum has the standard deviation 148.
        return Math.max(-32768, Math.min(32767, Math.round(center + (sum * deviation) / 148)));
      });
    },
  };
}

/** Standard deviation of {@link RandomIntegers.weights}. */
export const WEIGHT_DEVIATION = 52;

/** Largest shift e ≤ 32 at which 2·ratio·2^e stays below 2^bits. */
function shiftFor(ratio: number, bits: number): number {
  let e = 32;
  while (e > 0 && 2 * ratio * 2 ** e >= 2 ** bits) e -= 1;
  return e;
}

/** Multipliers of about `ratio`, each channel's within a factor 0.75 … 1.25; some negative where `signed`. */
function multipliers(random: RandomIntegers, ratio: number, e: number, count: number, signed: boolean): Int32Array {
  return Int32Array.from({ length: count }, () => {
    const bits = random.word();
    const m = Math.round(ratio * 2 ** e * (0.75 + (bits & 255) / 512));
    return signed && (bits >>> 8) % 16 === 0 ? -m : m;
  });
}

/** @param bits The largest multiplier stays below 2^bits. */
export function randomScaling(
  random: RandomIntegers,
  ratio: number,
  count: number,
  bits: number,
  signed = false,
): StaticScaling {
  const e = shiftFor(ratio, bits);
  return { m: multipliers(random, ratio, e, count, signed), e };
}

/** An edge of about `ratio`; with channels of its own zero-points where `shifts` (a norm's β). */
export function randomEdge(
  random: RandomIntegers,
  ratio: number,
  count: number,
  bits: number,
  zeroPoint: number,
  shifts = 0,
): RecipeEdge {
  const scaling = randomScaling(random, ratio, count, bits, shifts > 0);
  if (shifts === 0) return { scaling, zeroPoint };
  return { scaling: { ...scaling, z: Int32Array.from(random.int16(count, shifts)) }, zeroPoint };
}

/**
 * A linear layer behind a row-quantized input of about `input` int16 units, whose output has about the standard
 * deviation `output`.
 */
export function randomLinear(
  random: RandomIntegers,
  n: number,
  k: number,
  zeroPoint: number,
  { input, output }: { readonly input: number; readonly output: number },
): RecipeLinear {
  const weight = random.weights(n * k);
  const offset = new Int32Array(n);
  if (zeroPoint !== 0) {
    for (let row = 0; row < n; row += 1) {
      let sum = 0;
      for (let i = row * k; i < (row + 1) * k; i += 1) sum += weight[i] as number;
      offset[row] = -zeroPoint * sum;
    }
  }
  // The accumulator times the row's f·2^E is 16 times the sum over int16 units.
  const ratio = output / (16 * WEIGHT_DEVIATION * input * Math.sqrt(k));
  const e = shiftFor(ratio, 16);
  const m = multipliers(random, ratio, e, n, false);
  const k0 = 8;
  const unit = 2 ** (e - k0);
  const bias = Int32Array.from(random.int16(n, 1000), (entry) => Math.round((entry / 1000) * 0.2 * output * unit));
  const scaling: RowScaling = { m, e, bias, k: k0 };
  return { weight, offset, scaling };
}
