import type { FloatTensor, RecipeLinear } from '@ivit/models';
import { IvitError } from '@ivit/program';
import { roundWeights } from './gptq-narrow.js';
import type { SecondMoments } from './hessian.js';
import { magnitude } from './numeric.js';
import { rowScaling } from './scaling.js';

const INT32_MAX = 2147483647;

/** Weights as they multiply int16 units of the edge: W[n,k]·t[k]. */
export function foldWeights(weight: FloatTensor, migration: Float64Array | undefined): Float64Array {
  const folded = Float64Array.from(weight.data);
  if (migration === undefined) return folded;
  const width = migration.length;
  for (let i = 0; i < folded.length; i += 1) folded[i] = (folded[i] as number) * (migration[i % width] as number);
  return folded;
}

/** Σ_k w[n,k]·x[k] of int8 weights. */
export function product(weight: Int8Array, n: number, x: Float64Array): number {
  let sum = 0;
  const start = n * x.length;
  for (let k = 0; k < x.length; k += 1) sum += (weight[start + k] as number) * (x[k] as number);
  return sum;
}

/** Σ_k |w[n,k]| and Σ_k w[n,k]. */
export function weightSums(weight: Int8Array, n: number, size: number): { absolute: number; signed: number } {
  let absolute = 0;
  let signed = 0;
  for (let k = n * size; k < (n + 1) * size; k += 1) {
    const w = weight[k] as number;
    absolute += w < 0 ? -w : w;
    signed += w;
  }
  return { absolute, signed };
}

export interface RowLinearInput {
  readonly weight: FloatTensor;
  /** Of the edge in front. */
  readonly step: number;
  readonly migration?: Float64Array | undefined;
  readonly zeroPoint: number;
  /** Largest f·2^E a row can have. */
  readonly rowFactor: number;
  /** Of the edge's values as quantized, in int16 units. */
  readonly moments: SecondMoments;
  /** Real value of one output unit, per output channel. */
  readonly outputUnits: Float64Array;
  readonly where: string;
  /** Of a weight, 2 … 8; absent = 8. */
  readonly bits?: number | undefined;
}

/** Integer weights with everything that follows from them but the bias. */
export interface RoundedLinear {
  readonly weight: Int8Array;
  readonly offset: Int32Array;
  /** Largest |accumulator| per output channel. */
  readonly bounds: Float64Array;
  /** Output units per accumulator unit times f·2^E. */
  readonly ratios: Float64Array;
  /** Mean of the layer's output on the quantized stream, bias left out. */
  readonly means: Float64Array;
}

/** Rounds the weights (GPTQ) and derives offsets, bounds and ratios. */
export function roundLinear(input: RowLinearInput): RoundedLinear {
  const { weight: float, step, moments, outputUnits } = input;
  const rows = outputUnits.length;
  const { size } = moments;
  const { weight, scale } = roundWeights(foldWeights(float, input.migration), rows, moments, input.bits);
  const mean = moments.sums.map((sum) => sum / moments.rows);
  const offset = new Int32Array(rows);
  const bounds = new Float64Array(rows);
  const ratios = new Float64Array(rows);
  const means = new Float64Array(rows);
  for (let n = 0; n < rows; n += 1) {
    const { absolute, signed } = weightSums(weight, n, size);
    offset[n] = -input.zeroPoint * signed;
    const bound = magnitude(offset[n] as number) + 128 * absolute;
    if (bound * 31 > INT32_MAX) {
      throw new IvitError('E_QUANTIZE_RANGE', `output ${n} sums more than an int32 can hold times a row scale`, {
        where: input.where,
        hint: 'The layer is too wide for int8 weights of this size.',
      });
    }
    bounds[n] = Math.max(1, bound);
    const unit = step * (scale[n] as number);
    ratios[n] = unit / 16 / (outputUnits[n] as number);
    means[n] = unit * product(weight, n, mean);
  }
  return { weight, offset, bounds, ratios, means };
}

/**
 * A linear layer with GPTQ weights and the bias that makes its mean output on the quantized stream the float layer's.
 *
 * @param floatMeans mean output of the float layer, its bias included.
 */
export function correctedLinear(input: RowLinearInput, floatMeans: Float64Array): RecipeLinear {
  const rounded = roundLinear(input);
  const bias = floatMeans.map((mean, n) => (mean - (rounded.means[n] as number)) / (input.outputUnits[n] as number));
  return finishLinear(input, rounded, bias);
}

/** @param bias per output channel, in output units. */
export function finishLinear(input: RowLinearInput, rounded: RoundedLinear, bias: Float64Array): RecipeLinear {
  const { weight, offset, bounds, ratios } = rounded;
  const bits = input.bits === undefined || input.bits === 8 ? {} : { bits: input.bits };
  return { weight, offset, scaling: rowScaling(ratios, bias, bounds, input.rowFactor, input.where), ...bits };
}

/** Mean of each channel over `[rows,width]` tensors. */
export function channelMeans(tensors: readonly Float32Array[], width: number): Float64Array {
  const sums = new Float64Array(width);
  let rows = 0;
  for (const x of tensors) {
    for (let row = 0; row < x.length; row += width) {
      for (let c = 0; c < width; c += 1) sums[c] = (sums[c] as number) + (x[row + c] as number);
    }
    rows += x.length / width;
  }
  return sums.map((sum) => sum / rows);
}
