import {
  type BlockActivations,
  type SwinBlockStep,
  type SwinBlockWeights,
  type SwinRecipeBlock,
  swinBlockForward,
  swinBlockPrefix,
  type VitConfig,
} from '@ivit/models';
import { quantizeNorm1, quantizeProjection } from '../block-attention.js';
import type { BlockContext, Streams } from '../block-context.js';
import { quantizeHidden, quantizeOutput } from '../block-mlp.js';
import { PTQ_RECIPES } from '../settings.js';
import { breathe, checkAborted, type StageRunner } from '../stage.js';
import type { EdgeReport } from '../types.js';
import { quantizeWindowAttention } from './window-attention.js';

export interface SwinBlockResult {
  readonly block: SwinRecipeBlock;
  readonly edges: readonly EdgeReport[];
  readonly streams: Streams;
}

/** A block's sizes as those of a ViT whose tokens are the whole grid. */
function asVit({ geometry }: SwinBlockStep, float: SwinBlockWeights, eps: number): VitConfig {
  const { side, dim, heads } = geometry;
  return {
    imageSize: side,
    patchSize: 1,
    dim,
    depth: 1,
    heads,
    mlpDim: float.fc1.bias.data.length,
    layerNormEps: eps,
    classes: 1,
    prefixTokens: 0,
  };
}

/**
 * Decides every integer of one Swin block, as `quantizeBlock` does for a ViT; only attention differs.
 *
 * @param streams in the order of the block's windows, in and out.
 * @param buffers one set per photo; overwritten.
 */
export async function quantizeSwinBlock(
  float: SwinBlockWeights,
  step: SwinBlockStep,
  eps: number,
  streams: Streams,
  buffers: readonly BlockActivations[],
  geluTable: Int16Array,
  runner: StageRunner,
): Promise<SwinBlockResult> {
  const { geometry } = step;
  for (const [photo, stream] of streams.floats.entries()) {
    checkAborted(runner.signal);
    swinBlockForward(float, geometry, eps, stream, buffers[photo] as BlockActivations);
    runner.advance();
    await breathe();
  }
  const context: BlockContext = {
    config: asVit(step, float, eps),
    float,
    prefix: swinBlockPrefix(step),
    tokens: geometry.side * geometry.side,
    wideRows: 0,
    streams,
    buffers,
    geluTable,
    nonlinear: {},
    settings: PTQ_RECIPES['ptq@1'],
    weightBits: new Map(),
    sensitivities: undefined,
    runner,
    edges: [],
  };
  const norm1 = await quantizeNorm1(context);
  const { attention, ...attended } = await quantizeWindowAttention(context, step, float.positionBias, norm1);
  const middle = await quantizeProjection(context, attention);
  const hidden = await quantizeHidden(context, middle.norm2);
  const output = await quantizeOutput(context, hidden, middle);
  return {
    block: {
      norm1: norm1.choice.edge,
      ...attended,
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
  };
}
