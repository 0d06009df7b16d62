import { type FloatTensor, type RecipeLinear, type StaticScaling, wideShift } from '@ivit/models';
import { IvitError } from '@ivit/program';
import { roundNearest } from './gptq.js';
import { roundWeights } from './gptq-narrow.js';
import type { SecondMoments } from './hessian.js';
import { magnitude, powerOfTwo, roundHalfEven } from './numeric.js';
import { rowScaling, staticScaling, withZeroPoints } from './scaling.js';

const INT32_MAX = 2147483647;

/** Weights as they multiply int16 units of the edge: W[n,c]·t[c]. */
export function foldWeights(weight: FloatTensor, migration: Float64Array | undefined): Float64Array {
  const folded = Float64Array.from(weight.data);
  if (migration === undefined) return folded;
  const width = migration.length;
  for (let i = 0; i < folded.length; i += 1) folded[i] = (folded[i] as number) * (migration[i % width] as number);
  return folded;
}

/**
 * Weights by code `[N,K]` from weights by channel `[N,C]`: every code of a channel has the channel's weight, so that
 * base and slots add up to what the channel alone would give.
 */
function codeWeights(weight: Int8Array, rows: number, channels: Int32Array | undefined): Int8Array {
  if (channels === undefined) return weight;
  const size = channels.length;
  const width = weight.length / rows;
  const byCode = new Int8Array(rows * size);
  for (let n = 0; n < rows; n += 1) {
    for (let k = 0; k < size; k += 1) byCode[n * size + k] = weight[n * width + (channels[k] as number)] as number;
  }
  return byCode;
}

/** Σ_k w[n,k]·x[k] of int8 weights. */
export function product(weight: Int8Array, n: number, x: ArrayLike<number>): number {
  let sum = 0;
  const start = n * x.length;
  for (let k = 0; k < x.length; k += 1) sum += (weight[start + k] as number) * (x[k] as number);
  return sum;
}

/** Σ_k |w[n,k]|. */
export function absoluteSum(weight: Int8Array, n: number, size: number): number {
  let sum = 0;
  for (let k = n * size; k < (n + 1) * size; k += 1) sum += magnitude(weight[k] as number);
  return sum;
}

export interface RowLinearInput {
  readonly weight: FloatTensor;
  /** Of the edge in front. */
  readonly step: number;
  readonly migration?: Float64Array | undefined;
  /** `[K]`: the code that stands for 0, per code. */
  readonly zeros: Int32Array;
  /** `[K]`: the channel of each code; absent = one code per channel. */
  readonly channels?: Int32Array | undefined;
  /** Largest f·2^E a row can have. */
  readonly rowFactor: number;
  /** Of the edge's values as quantized, by channel, in int16 units: products over all rows, sums over those that are quantized. */
  readonly moments: SecondMoments;
  /** Real value of one output unit, per output channel. */
  readonly outputUnits: Float64Array;
  readonly where: string;
  /** What the int16 values leave out of the real ones, per channel; absent = 0. */
  readonly rest?: Float64Array | undefined;
  /** Each weight to its nearest integer instead of GPTQ. */
  readonly nearest?: boolean | undefined;
  /** Of the search for better roundings than GPTQ's, where weights have 8 bits; absent = 1, GPTQ. */
  readonly paths?: number | undefined;
  /** Of a weight, 2 … 8; absent = 8. */
  readonly bits?: number | undefined;
  /** Rows that stay int16, and their sums by channel; absent = none. */
  readonly wide?: { readonly rows: number; readonly sums: Float64Array };
  /** First output channels of wide rows that are wanted once more, as int16 in 1/{@link FINE} of their units; absent = none. */
  readonly fineOutputs?: number | undefined;
}

/** Parts of an output unit that one step of a fine output is: int16 holds twice what int8 does. */
export const FINE = 128;

/** Mean output of a float layer, its bias included, over the rows that are quantized and over those that stay int16. */
export interface LayerMeans {
  readonly narrow: Float64Array;
  readonly wide?: Float64Array;
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
  readonly means: LayerMeans;
}

/** Mean by channel, 0 without rows. */
function meanOf({ sums, rows }: { readonly sums: Float64Array; readonly rows: number }): Float64Array {
  return sums.map((sum) => (rows === 0 ? 0 : sum / rows));
}

/** Rounds the weights (GPTQ) and derives offsets, bounds and ratios. */
export function roundLinear(input: RowLinearInput): RoundedLinear {
  const { step, zeros, moments, outputUnits } = input;
  const rows = outputUnits.length;
  const folded = foldWeights(input.weight, input.migration);
  const rounded = input.nearest
    ? roundNearest(folded, rows, moments.size)
    : roundWeights(folded, rows, moments, input.bits, input.paths);
  const { scale } = rounded;
  const weight = codeWeights(rounded.weight, rows, input.channels);
  const wideMean = input.wide && meanOf(input.wide);
  const mean = meanOf(moments);
  const offset = new Int32Array(rows);
  const bounds = new Float64Array(rows);
  const ratios = new Float64Array(rows);
  const means = new Float64Array(rows);
  const wideMeans = wideMean && new Float64Array(rows);
  for (let n = 0; n < rows; n += 1) {
    offset[n] = -product(weight, n, zeros);
    const bound = magnitude(offset[n] as number) + 128 * absoluteSum(weight, n, zeros.length);
    if (bound * 31 > INT32_MAX) {
      throw new IvitError('E_QUANTIZE_RANGE', `output ${n} sums more than an int32 can hold times a row scale`, {
        where: input.where,
        hint: 'The layer is too wide for int8 weights of this size.',
      });
    }
    bounds[n] = Math.max(1, bound);
    const unit = step * (scale[n] as number);
    ratios[n] = unit / 16 / (outputUnits[n] as number);
    means[n] = unit * product(rounded.weight, n, mean);
    if (wideMeans !== undefined) wideMeans[n] = unit * product(rounded.weight, n, wideMean ?? mean);
  }
  return {
    weight,
    offset,
    bounds,
    ratios,
    means: { narrow: means, ...(wideMeans === undefined ? {} : { wide: wideMeans }) },
  };
}

/** A linear layer with GPTQ weights and the bias that makes its mean output on the quantized stream the float layer's. */
export function correctedLinear(input: RowLinearInput, floatMeans: LayerMeans): RecipeLinear {
  const rounded = roundLinear(input);
  const biasOf = (float: Float64Array, integer: Float64Array): Float64Array =>
    float.map((mean, n) => (mean - (integer[n] as number)) / (input.outputUnits[n] as number));
  const { wide = rounded.means.narrow } = rounded.means;
  return finishLinear(
    input,
    rounded,
    biasOf(floatMeans.narrow, rounded.means.narrow),
    biasOf(floatMeans.wide ?? floatMeans.narrow, wide),
  );
}

/** The same without the correction: the float layer's bias, and what the edge in front leaves out. */
export function plainLinear(input: RowLinearInput, floatBias: FloatTensor): RecipeLinear {
  const { weight, rest, outputUnits } = input;
  const size = weight.data.length / outputUnits.length;
  const bias = outputUnits.map((unit, n) => {
    let sum = floatBias.data[n] as number;
    if (rest !== undefined) {
      for (let c = 0; c < size; c += 1) sum += (weight.data[n * size + c] as number) * (rest[c] as number);
    }
    return sum / unit;
  });
  return finishLinear(input, roundLinear(input), bias);
}

/**
 * @param bias per output channel, in output units.
 * @param wideBias the same for wide rows.
 */
export function finishLinear(
  input: RowLinearInput,
  rounded: RoundedLinear,
  bias: Float64Array,
  wideBias: Float64Array = bias,
): RecipeLinear {
  const { weight, offset, bounds, ratios } = rounded;
  const bits = input.bits === undefined || input.bits === 8 ? {} : { bits: input.bits };
  const wide = input.wide === undefined ? {} : { wide: wideScaling(input, ratios, wideBias) };
  const fine = input.wide && input.fineOutputs ? { fine: fineScaling(input, ratios, wideBias) } : {};
  return {
    weight,
    offset,
    scaling: rowScaling(ratios, bias, bounds, input.rowFactor, input.where),
    ...bits,
    ...wide,
    ...fine,
  };
}

/** Of sums of int16 rows, which int32 holds whatever the weights are. */
function wideScaling({ moments, where }: RowLinearInput, ratios: Float64Array, bias: Float64Array): StaticScaling {
  // The unit of a row whose scale is 16/16.
  const unit = 16 * powerOfTwo(wideShift(moments.size));
  const scaling = staticScaling(
    ratios.map((ratio) => ratio * unit),
    INT32_MAX,
    where,
  );
  const z = Int32Array.from(bias, (entry) => Math.max(-INT32_MAX, Math.min(INT32_MAX, roundHalfEven(entry))));
  return withZeroPoints(scaling, z);
}

/** {@link wideScaling} of the first outputs in finer units. */
function fineScaling(input: RowLinearInput, ratios: Float64Array, bias: Float64Array): StaticScaling {
  const finer = (entries: Float64Array): Float64Array =>
    entries.slice(0, input.fineOutputs).map((entry) => entry * FINE);
  return wideScaling(input, finer(ratios), finer(bias));
}

/** Mean of each channel over rows `from … to-1` of `[rows,width]` tensors. */
export function channelMeans(
  tensors: readonly Float32Array[],
  width: number,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): Float64Array {
  const sums = new Float64Array(width);
  let rows = 0;
  for (const x of tensors) {
    const end = Math.min(x.length, to * width);
    for (let row = from * width; row < end; row += width) {
      for (let c = 0; c < width; c += 1) sums[c] = (sums[c] as number) + (x[row + c] as number);
      rows += 1;
    }
  }
  return sums.map((sum) => sum / rows);
}
