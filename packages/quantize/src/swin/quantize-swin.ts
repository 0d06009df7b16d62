import {
  buildRecipeSwin,
  createSwinActivations,
  gatherRows,
  type SwinBlockStep,
  type SwinRecipeBlock,
  type SwinRecipeMerging,
  type SwinRecipeStage,
  type SwinWeights,
  swinHead,
  swinSteps,
} from '@ivit/models';
import { geluRampTable } from '@ivit/nonlinear/convert';
import { BLOCK_PASSES } from '../block.js';
import type { Streams } from '../block-context.js';
import { checkPixels, checkPreprocess, checkTensors } from '../check.js';
import { programDetails } from '../details.js';
import { HEAD_PASSES, quantizeHead } from '../head.js';
import { PTQ_RECIPES } from '../settings.js';
import { checkAborted, type StageRunner } from '../stage.js';
import type { EdgeReport, QuantizeOptions, QuantizeResult } from '../types.js';
import { quantizeSwinBlock } from './block.js';
import { swinTensors } from './check.js';
import { quantizeSwinEmbed, SWIN_EMBED_PASSES } from './embed.js';
import { MERGING_PASSES, quantizeMerging } from './merging.js';

export interface QuantizeSwinOptions extends Pick<QuantizeOptions, 'photos' | 'backend' | 'onProgress' | 'signal'> {
  readonly weights: SwinWeights;
}

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
function buffersFor(step: SwinBlockStep, mlpDim: number, photos: number): ReturnType<typeof createSwinActivations>[] {
  const { probabilities } = createSwinActivations(step.geometry, 1);
  return Array.from({ length: photos }, () => ({ ...createSwinActivations(step.geometry, mlpDim), probabilities }));
}

/**
 * A float Swin and unlabeled photos to an integer program, by recipe `ptq@1`: linear inputs at a scale per token row,
 * GPTQ weights, logits with their position bias in int16, masks as in the paper, GELU by table, every layer's mean output
 * corrected. Nothing is cached.
 *
 * Deterministic: the same weights and photos (in the same order) give the same program on every machine, engine and
 * backend. Holds the float activations of one stage for all photos: about 20 MB a photo for Swin-T.
 *
 * @throws IvitError `E_CALIBRATION_EMPTY`, `E_INPUT_SIZE`, `E_WEIGHTS_SHAPE`, `E_WEIGHTS_VALUE`, `E_MODEL_SHAPE`,
 *   `E_CALIBRATION_RANGE`, `E_QUANTIZE_RANGE`, `E_ABORTED`; what the backend's `compile` and `run` throw.
 */
export async function quantizeSwin(options: QuantizeSwinOptions): Promise<QuantizeResult> {
  const { weights, photos, backend, signal } = options;
  const { config } = weights;
  checkPixels(config.imageSize, photos);
  checkTensors(swinTensors(weights));
  checkPreprocess(weights.preprocess);
  const steps = swinSteps(config);
  const passes = steps.reduce((sum, step) => sum + (step.kind === 'block' ? BLOCK_PASSES : MERGING_PASSES), 0);
  const total = photos.length * (SWIN_EMBED_PASSES + passes + HEAD_PASSES);
  let stage = 'embed';
  let done = 0;
  const tell = (): void => options.onProgress?.({ stage, done, total });
  const runner: StageRunner = {
    backend,
    signal,
    advance() {
      done += 1;
      tell();
    },
  };
  tell();
  const geluTable = geluRampTable();
  const first = await quantizeSwinEmbed(weights, photos, runner);
  const edges: EdgeReport[] = [...first.edges];
  let { streams } = first;
  const stages: { blocks: SwinRecipeBlock[]; merging?: SwinRecipeMerging }[] = config.depths.map(() => ({
    blocks: [],
  }));
  let buffers: ReturnType<typeof buffersFor> = [];
  for (const step of steps) {
    checkAborted(signal);
    const own = weights.stages[step.stage];
    const recipe = stages[step.stage];
    if (own === undefined || recipe === undefined) throw new RangeError(`there is no stage ${step.stage}`);
    const moved = reorder(streams, step.rows);
    if (step.kind === 'merging') {
      stage = `merging ${step.stage + 1}`;
      buffers = [];
      if (own.merging === undefined) throw new RangeError(`there is no merging after stage ${step.stage}`);
      const result = await quantizeMerging(own.merging, step, config.layerNormEps, moved, runner);
      recipe.merging = result.merging;
      edges.push(...result.edges);
      streams = result.streams;
      continue;
    }
    stage = `stage ${step.stage + 1}, block ${step.block + 1}/${config.depths[step.stage]}`;
    const block = own.blocks[step.block];
    if (block === undefined) throw new RangeError(`there is no block ${step.block}`);
    const mlpDim = block.fc1.bias.data.length;
    if (buffers[0]?.fc1.length !== mlpDim * step.geometry.side ** 2) buffers = buffersFor(step, mlpDim, photos.length);
    const result = await quantizeSwinBlock(block, step, config.layerNormEps, moved, buffers, geluTable, runner);
    recipe.blocks.push(result.block);
    edges.push(...result.edges);
    streams = result.streams;
  }
  stage = 'head';
  const head = swinHead(weights);
  const last = await quantizeHead(head, streams, runner, PTQ_RECIPES['ptq@1'], {}, undefined);
  edges.push(...last.edges);
  const recipe = { config, embed: first.embed, stages: stages as readonly SwinRecipeStage[], head: last.head };
  const program = buildRecipeSwin(recipe, head.config, geluTable, programDetails(weights, photos, 'ptq@1', 'swin'));
  return { program, report: { recipe: 'ptq@1', recipeId: 'ptq@1', photos: photos.length, edges } };
}
