import {
  type BlockActivations,
  blockForward,
  blockPrefix,
  prefixTokens,
  type RecipeBlock,
  tokenCount,
  type VitWeights,
} from '@ivit/models';
import { quantizeAttention, quantizeNorm1, quantizeProjection } from './block-attention.js';
import type { BlockContext, Streams } from './block-context.js';
import { quantizeHidden, quantizeOutput } from './block-mlp.js';
import type { NonlinearChoice } from './nonlinear-choice.js';
import type { LayerSensitivity } from './sensitivity.js';
import type { PtqSettings } from './settings.js';
import { breathe, checkAborted, type StageRunner } from './stage.js';
import type { EdgeReport } from './types.js';

export interface BlockResult {
  readonly block: RecipeBlock;
  readonly edges: readonly EdgeReport[];
  readonly streams: Streams;
  readonly sensitivities?: readonly LayerSensitivity[];
}

/** What the caller of {@link quantizeBlock} has decided. */
export interface BlockChoices {
  readonly settings: PtqSettings;
  readonly nonlinear: NonlinearChoice;
  readonly weightBits: ReadonlyMap<string, number>;
  /** Measure what fewer bits would cost. */
  readonly measured: boolean;
}

/** Passes of one photo through {@link quantizeBlock}, for progress: one float, five stages. */
export const BLOCK_PASSES = 6;

/**
 * Decides every integer of one block: float pass, then stage by stage on the quantized stream, each linear layer
 * rounded against its input as quantized and its bias corrected so that its mean output is the float layer's.
 *
 * @param buffers one set per photo; overwritten.
 * @param geluTable of `ramplookup`.
 */
export async function quantizeBlock(
  weights: VitWeights,
  index: number,
  streams: Streams,
  buffers: readonly BlockActivations[],
  geluTable: Int16Array,
  runner: StageRunner,
  choices: BlockChoices,
): Promise<BlockResult> {
  const { config } = weights;
  const float = weights.blocks[index];
  if (float === undefined) throw new RangeError(`there is no block ${index}`);
  for (const [photo, stream] of streams.floats.entries()) {
    checkAborted(runner.signal);
    blockForward(weights, index, stream, buffers[photo]);
    runner.advance();
    await breathe();
  }
  const context: BlockContext = {
    config,
    float,
    prefix: blockPrefix(index),
    tokens: tokenCount(config),
    wideRows: choices.settings.wideTokens ? prefixTokens(config) : 0,
    streams,
    buffers,
    geluTable,
    ...choices,
    sensitivities: choices.measured ? [] : undefined,
    runner,
    edges: [],
  };
  const norm1 = await quantizeNorm1(context);
  const { qkv, logits, attention } = await quantizeAttention(context, norm1);
  const middle = await quantizeProjection(context, attention);
  const hidden = await quantizeHidden(context, middle.norm2);
  const output = await quantizeOutput(context, hidden, middle);
  return {
    block: {
      norm1: norm1.choice.edge,
      qkv,
      logits,
      attention: attention.choice.edge,
      proj: middle.proj,
      residual1: middle.residual1,
      norm2: middle.norm2.choice.edge,
      fc1: hidden.fc1,
      ...(hidden.steps.hidden === undefined ? {} : { hidden: hidden.steps.hidden }),
      gelu: hidden.gelu.choice.edge,
      fc2: output.fc2,
      residual2: output.residual2,
    },
    edges: context.edges,
    streams: output.streams,
    ...(context.sensitivities === undefined ? {} : { sensitivities: context.sensitivities }),
  };
}
