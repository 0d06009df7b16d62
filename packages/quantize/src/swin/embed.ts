import {
  addSwinEmbedNorm,
  addSwinProjection,
  EMBED,
  PIXELS,
  type SwinRecipeEmbed,
  type SwinWeights,
  swinEmbed,
} from '@ivit/models';
import { createProgramBuilder } from '@ivit/program';
import type { BlockRun } from '../block.js';
import { int16Unit, type Streams } from '../block-context.js';
import { checkFinite, LAYERNORM_BOUND, TWO_TO_MINUS_30 } from '../edge.js';
import { decidePatches, patchMoments } from '../embed.js';
import { chooseFactors } from '../factors.js';
import { roundHalfEven } from '../numeric.js';
import { createMeter, edgeReport, measure } from '../quality.js';
import { staticScaling, withZeroPoints } from '../scaling.js';
import { int16Output, runProgram } from '../stage.js';
import type { CalibrationPhoto, EdgeReport } from '../types.js';

const PROJECTION = 'embed.projection';

export interface SwinEmbedResult {
  readonly embed: SwinRecipeEmbed;
  readonly edges: readonly EdgeReport[];
  readonly streams: Streams;
}

/** Passes of one photo through {@link quantizeSwinEmbed}, for progress. */
export const SWIN_EMBED_PASSES = 2;

/** The embedding's norm straight to the residual unit; β is rounded to it, which is finer than what it is added to. */
function normScaling({ patchNorm, config }: SwinWeights, unit: number): SwinRecipeEmbed['norm'] {
  const gamma = patchNorm.weight.data;
  const root = Math.sqrt(config.dim) * TWO_TO_MINUS_30;
  const ratios = Float64Array.from(gamma, (entry) => (root * entry) / unit);
  const z = Int32Array.from(patchNorm.bias.data, (entry) => {
    const shift = roundHalfEven(entry / unit);
    checkFinite(shift, EMBED);
    return Math.max(-65536, Math.min(65536, shift));
  });
  return withZeroPoints(staticScaling(ratios, LAYERNORM_BOUND, EMBED), z);
}

/** Decides the embedding's integers and runs it: the residual streams before the first block, in the grid's order. */
export async function quantizeSwinEmbed(
  weights: SwinWeights,
  photos: readonly CalibrationPhoto[],
  { choices, runner }: BlockRun,
): Promise<SwinEmbedResult> {
  const { config } = weights;
  const floats: Float32Array[] = [];
  const projections: Float32Array[] = [];
  const moments = await patchMoments(config, photos, runner, ({ pixels }) => {
    const { projection, stream } = swinEmbed(weights, pixels);
    projections.push(projection);
    floats.push(stream);
  });
  const projectionUnit = int16Unit(projections, PROJECTION);
  const unit = int16Unit(floats, EMBED);
  const { nonlinear, weightBits } = choices;
  const factors = nonlinear.norm === 'ptf' ? chooseFactors(projections, config.dim, projectionUnit) : undefined;
  const embed: SwinRecipeEmbed = {
    ...decidePatches(weights, moments, projectionUnit, weightBits.get('embed') ?? 8),
    norm: normScaling(weights, unit),
    ...(factors === undefined ? {} : { factors }),
  };
  const builder = createProgramBuilder(PIXELS, [config.imageSize, config.imageSize, 3]);
  addSwinEmbedNorm(builder, addSwinProjection(builder, config, embed), embed);
  const integers: Int16Array[] = [];
  const projectionMeter = createMeter();
  const meter = createMeter();
  await runProgram(
    runner,
    builder,
    [EMBED, PROJECTION],
    photos.length,
    (photo) => (photos[photo] as CalibrationPhoto).pixels,
    (photo, outputs) => {
      const stream = int16Output(outputs, EMBED);
      integers.push(stream);
      measure(meter, floats[photo] as Float32Array, (i) => (stream[i] as number) * unit);
      const projection = int16Output(outputs, PROJECTION);
      measure(projectionMeter, projections[photo] as Float32Array, (i) => (projection[i] as number) * projectionUnit);
    },
  );
  const edges = [
    edgeReport(PROJECTION, projectionMeter, projectionUnit, 'tensor'),
    edgeReport(EMBED, meter, unit, 'tensor'),
  ];
  return { embed, edges, streams: { floats, integers, unit } };
}
