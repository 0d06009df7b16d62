import {
  addEmbed,
  EMBED,
  embed as embedFloat,
  type FloatLinear,
  PIXELS,
  patchOffsets,
  prefixTokens,
  type RecipeEmbed,
  type VitPreprocess,
  type VitWeights,
} from '@ivit/models';
import { createProgramBuilder } from '@ivit/program';
import { int16Unit, type Streams } from './block-context.js';
import { roundWeights } from './gptq-narrow.js';
import { addColumns, createMoments, type SecondMoments } from './hessian.js';
import { absoluteSum, product } from './linear.js';
import { magnitude, maxMagnitude, powerOfTwo, roundHalfEven } from './numeric.js';
import { createMeter, edgeReport, measure } from './quality.js';
import { ratioOf, staticScaling } from './scaling.js';
import { breathe, checkAborted, int16Output, runProgram, type StageRunner } from './stage.js';
import type { CalibrationPhoto, EdgeReport } from './types.js';

const INT16_MAX = 32767;
const INT32_MAX = 2147483647;

export interface EmbedResult {
  readonly embed: RecipeEmbed;
  readonly edges: readonly EdgeReport[];
  readonly streams: Streams;
}

/** What the patch embedding depends on. */
export interface PatchWeights {
  readonly config: Pick<VitWeights['config'], 'patchSize' | 'dim'>;
  readonly patchEmbed: FloatLinear;
  readonly preprocess: VitPreprocess;
}

/** Passes of one photo through {@link quantizeEmbed}, for progress. */
export const EMBED_PASSES = 2;

/**
 * Patch weights and bias on p - 128 instead of (p/255 - mean)/std: W' = W/(255·std),
 * b' = b + Σ W·(128/255 - mean)/std, color by color. Exact but for float64 rounding.
 */
export function foldPixels(weights: PatchWeights): { weight: Float64Array; bias: Float64Array } {
  const { patchEmbed, preprocess, config } = weights;
  const { mean, std } = preprocess;
  const width = config.patchSize * config.patchSize * 3;
  const weight = new Float64Array(patchEmbed.weight.data.length);
  const bias = Float64Array.from(patchEmbed.bias.data);
  for (let i = 0; i < weight.length; i += 1) {
    const color = i % 3;
    const w = (patchEmbed.weight.data[i] as number) / (std[color] as number);
    weight[i] = w / 255;
    const n = Math.floor(i / width);
    bias[n] = (bias[n] as number) + w * (128 / 255 - (mean[color] as number));
  }
  return { weight, bias };
}

/** Second moments of the patch vectors of pixels minus 128; `visit` gets each photo, which counts as one pass. */
export async function patchMoments(
  config: Pick<VitWeights['config'], 'imageSize' | 'patchSize'>,
  photos: readonly CalibrationPhoto[],
  runner: StageRunner,
  visit: (photo: CalibrationPhoto) => void,
): Promise<SecondMoments> {
  const width = config.patchSize * config.patchSize * 3;
  const offsets = patchOffsets(config);
  const tokens = offsets.length / width;
  const moments = createMoments(width);
  const columns = new Float64Array(offsets.length);
  for (const photo of photos) {
    checkAborted(runner.signal);
    visit(photo);
    for (let i = 0; i < offsets.length; i += 1) {
      columns[(i % width) * tokens + Math.floor(i / width)] = (photo.pixels[offsets[i] as number] as number) - 128;
    }
    addColumns(moments, columns, tokens);
    runner.advance();
    await breathe();
  }
  return moments;
}

/** Decides the embedding's integers and runs it: the residual streams before block 0. */
export async function quantizeEmbed(
  weights: VitWeights,
  photos: readonly CalibrationPhoto[],
  runner: StageRunner,
  bits = 8,
): Promise<EmbedResult> {
  const { config } = weights;
  const floats: Float32Array[] = [];
  const moments = await patchMoments(config, photos, runner, (photo) => floats.push(embedFloat(weights, photo.pixels)));
  const unit = int16Unit(floats, EMBED);
  const embed = decideEmbed(weights, moments, unit, bits);

  const builder = createProgramBuilder(PIXELS, [config.imageSize, config.imageSize, 3]);
  addEmbed(builder, config, embed);
  const integers: Int16Array[] = [];
  const meter = createMeter();
  await runProgram(
    runner,
    builder,
    [EMBED],
    photos.length,
    (photo) => (photos[photo] as CalibrationPhoto).pixels,
    (photo, outputs) => {
      const stream = int16Output(outputs, EMBED);
      integers.push(stream);
      measure(meter, floats[photo] as Float32Array, (i) => (stream[i] as number) * unit);
    },
  );
  return { embed, edges: [edgeReport(EMBED, meter, unit, 'tensor')], streams: { floats, integers, unit } };
}

/** Integer patch weights and bias, and the scaling of their sums to int16 in `unit`. */
export function decidePatches(
  weights: PatchWeights,
  moments: SecondMoments,
  unit: number,
  bits: number,
): Pick<RecipeEmbed, 'weight' | 'bias' | 'scaling' | 'bits'> {
  const { dim } = weights.config;
  const width = moments.size;
  const folded = foldPixels(weights);
  const { weight, scale } = roundWeights(folded.weight, dim, moments, bits);
  const mean = moments.sums.map((sum) => sum / moments.rows);
  const bias = new Int32Array(dim);
  const ratios = new Float64Array(dim);
  let bound = 0;
  for (let n = 0; n < dim; n += 1) {
    let floatMean = folded.bias[n] as number;
    for (let k = 0; k < width; k += 1) floatMean += (folded.weight[n * width + k] as number) * (mean[k] as number);
    const weightScale = scale[n] as number;
    const real = floatMean - weightScale * product(weight, n, mean);
    // The bias must fit int32 in units of the weight's scale; a row of (nearly) nothing but bias gets a coarser unit.
    const smallest = Math.max(magnitude(real) * powerOfTwo(-29), unit * powerOfTwo(-16));
    const accumulatorUnit = Math.max(weightScale, smallest);
    if (accumulatorUnit > weightScale) rescaleRow(weight, n, width, weightScale / accumulatorUnit);
    const absolute = absoluteSum(weight, n, width);
    const limit = INT32_MAX - 128 * absolute;
    bias[n] = Math.max(-limit, Math.min(limit, roundHalfEven(real / accumulatorUnit)));
    ratios[n] = accumulatorUnit / unit;
    bound = Math.max(bound, 128 * absolute + magnitude(bias[n] as number));
  }
  return {
    weight,
    ...(bits === 8 ? {} : { bits }),
    bias,
    scaling: staticScaling(ratios, bound, 'embed'),
  };
}

function decideEmbed(weights: VitWeights, moments: SecondMoments, unit: number, bits: number): RecipeEmbed {
  const { config, classToken, positionEmbedding } = weights;
  const { dim } = config;
  const position = positionEmbedding.data.subarray(prefixTokens(config) * dim);
  const positionUnit = maxMagnitude(position) / INT16_MAX || unit;
  return {
    ...decidePatches(weights, moments, unit, bits),
    position: Int16Array.from(position, (entry) => clampInt16(entry / positionUnit)),
    positionRatio: ratioOf(positionUnit, unit),
    classRow: Int16Array.from(classToken.data, (entry, c) =>
      clampInt16((entry + (positionEmbedding.data[c] as number)) / unit),
    ),
  };
}

function rescaleRow(weight: Int8Array, n: number, width: number, factor: number): void {
  for (let k = n * width; k < (n + 1) * width; k += 1) weight[k] = roundHalfEven((weight[k] as number) * factor);
}

function clampInt16(x: number): number {
  return Math.max(-32768, Math.min(INT16_MAX, roundHalfEven(x)));
}
