import {
  type BlockActivations,
  buildRecipeSwin,
  createSwinActivations,
  gatherRows,
  type SwinBlockStep,
  type SwinMergingStep,
  type SwinRecipe,
  type SwinRecipeBlock,
  type SwinRecipeMerging,
  type SwinWeights,
  swinHead,
  swinSteps,
} from '@ivit/models';
import { BLOCK_PASSES, type BlockResult, quantizeBlock } from '../block.js';
import type { Streams } from '../block-context.js';
import { HEAD_PASSES, quantizeHead } from '../head.js';
import type { PtqModel, PtqRun } from '../ptq.js';
import type { CalibrationPhoto } from '../types.js';
import { swinLayers } from '../weight-bits.js';
import { swinBlockSite } from './block.js';
import { swinTensors } from './check.js';
import { quantizeSwinEmbed, SWIN_EMBED_PASSES } from './embed.js';
import { MERGING_PASSES, quantizeMerging, type SwinMergingResult } from './merging.js';
import { rotateSwin } from './rotate-swin.js';
import type { WindowParts } from './window-attention.js';

/** Streams of all photos in another order: `[rows.length, C]`, or four rows side by side, as the rows say. */
function reorder(streams: Streams, rows: Int32Array | undefined): Streams {
  if (rows === undefined) return streams;
  return {
    floats: streams.floats.map((stream) => gatherRows(stream, rows, new Float32Array(stream.length))),
    integers: streams.integers.map((stream) => gatherRows(stream, rows, new Int16Array(stream.length))),
    unit: streams.unit,
  };
}

/** Float buffers of every photo for the blocks of one stage; photos take turns with what no stage reads. */
function buffersFor({ geometry }: SwinBlockStep, mlpDim: number, photos: number): readonly BlockActivations[] {
  const { probabilities } = createSwinActivations(geometry, 1);
  return Array.from({ length: photos }, () => ({ ...createSwinActivations(geometry, mlpDim), probabilities }));
}

/** Decides blocks one after another; those of a stage share buffers. */
function createBlockQuantizer({ config, stages }: SwinWeights, run: PtqRun) {
  let held = { stage: -1, mlpDim: 0, buffers: [] as readonly BlockActivations[] };
  return (step: SwinBlockStep, streams: Streams): Promise<BlockResult<WindowParts>> => {
    const { stage, block } = step;
    const float = stages[stage]?.blocks[block];
    if (float === undefined) throw new RangeError(`stage ${stage} has no block ${block}`);
    const mlpDim = float.fc1.bias.data.length;
    return run.part(`stage ${stage + 1}, block ${block + 1}/${config.depths[stage]}`, BLOCK_PASSES, () => {
      if (held.stage !== stage || held.mlpDim !== mlpDim) {
        held = { stage, mlpDim, buffers: buffersFor(step, mlpDim, streams.floats.length) };
      }
      const site = swinBlockSite(float, step, config.layerNormEps);
      return quantizeBlock(site, reorder(streams, step.rows), held.buffers, run);
    });
  };
}

/** Decides patch merging. */
function decideMerging(
  { config, stages }: SwinWeights,
  run: PtqRun,
  step: SwinMergingStep,
  streams: Streams,
): Promise<SwinMergingResult> {
  const float = stages[step.stage]?.merging;
  if (float === undefined) throw new RangeError(`there is no merging after stage ${step.stage}`);
  return run.part(`merging ${step.stage + 1}`, MERGING_PASSES, () =>
    quantizeMerging(float, step, config.layerNormEps, reorder(streams, step.rows), run),
  );
}

async function decideSwin(weights: SwinWeights, photos: readonly CalibrationPhoto[], run: PtqRun): Promise<SwinRecipe> {
  const { config } = weights;
  const { choices, runner } = run;
  const { settings, nonlinear, weightBits } = choices;
  const { embed, ...first } = await run.part('embed', SWIN_EMBED_PASSES, () => quantizeSwinEmbed(weights, photos, run));
  let streams: Streams = first.streams;
  const stages: { blocks: SwinRecipeBlock[]; merging?: SwinRecipeMerging }[] = config.depths.map(() => ({
    blocks: [],
  }));
  const decideBlock = createBlockQuantizer(weights, run);
  for (const step of swinSteps(config)) {
    const recipe = stages[step.stage];
    if (recipe === undefined) throw new RangeError(`there is no stage ${step.stage}`);
    if (step.kind === 'merging') {
      const result = await decideMerging(weights, run, step, streams);
      recipe.merging = result.merging;
      streams = result.streams;
    } else {
      const result = await decideBlock(step, streams);
      recipe.blocks.push(result.block);
      streams = result.streams;
    }
  }
  const { head } = await run.part('head', HEAD_PASSES, () =>
    quantizeHead(swinHead(weights), streams, runner, settings, nonlinear, weightBits.get('head')),
  );
  return { config, embed, stages, head };
}

/** A Swin as the recipes take it. */
export function swinModel(weights: SwinWeights): PtqModel {
  const { config } = weights;
  const passes = swinSteps(config).reduce(
    (sum, { kind }) => sum + (kind === 'block' ? BLOCK_PASSES : MERGING_PASSES),
    SWIN_EMBED_PASSES + HEAD_PASSES,
  );
  return {
    architecture: 'swin',
    weights,
    layers: swinLayers(config),
    passes,
    tensors: () => swinTensors(weights),
    rotated: (choice) => swinModel(rotateSwin(weights, choice)),
    async quantize(photos, run) {
      const recipe = await decideSwin(weights, photos, run);
      return (details) => buildRecipeSwin(recipe, swinHead(weights).config, run.geluTable, details);
    },
  };
}
