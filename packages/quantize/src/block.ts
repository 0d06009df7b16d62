import type { BlockActivations, RecipeBlock, VitBlockWeights, VitConfig } from '@ivit/models';
import { type AttentionSite, quantizeAttention } from './attention-stage.js';
import type { BlockContext, PartChoices, Streams } from './block-context.js';
import { quantizeHidden, quantizeOutput } from './block-mlp.js';
import { quantizeProjection } from './block-projection.js';
import { quantizeNorm } from './norm-stage.js';
import type { LayerSensitivity } from './sensitivity.js';
import { breathe, checkAborted, type StageRunner } from './stage.js';
import type { EdgeReport } from './types.js';

/**
 * One block of a model.
 *
 * @typeParam Own see {@link AttentionSite}.
 */
export interface BlockSite<Own extends object> {
  /** Sizes; of another architecture than ViT those of a ViT with as many tokens. */
  readonly config: VitConfig;
  readonly float: VitBlockWeights;
  /** Of value names: `blocks.3`. */
  readonly prefix: string;
  /** Rows of the residual stream. */
  readonly tokens: number;
  /** How many of them, from the first, reach linear layers as int16. */
  readonly wideRows: number;
  readonly attention: AttentionSite<Own>;
  /** The float block on one photo's stream. */
  forward(stream: Float32Array, into: BlockActivations): void;
}

/** What the blocks of a model share. */
export interface BlockRun {
  readonly choices: PartChoices;
  /** Of `ramplookup`. */
  readonly geluTable: Int16Array;
  readonly runner: StageRunner;
}

export interface BlockResult<Own extends object> {
  readonly block: RecipeBlock & Own;
  readonly edges: readonly EdgeReport[];
  readonly streams: Streams;
  readonly sensitivities?: readonly LayerSensitivity[];
}

/** Passes of one photo through {@link quantizeBlock}, for progress: one float, five stages. */
export const BLOCK_PASSES = 6;

/**
 * Decides every integer of one block: float pass, then stage by stage on the quantized stream, each linear layer
 * rounded against its input as quantized and its bias corrected so that its mean output is the float layer's.
 *
 * @param buffers one set per photo; overwritten.
 */
export async function quantizeBlock<Own extends object>(
  { attention: attentionSite, forward, ...site }: BlockSite<Own>,
  streams: Streams,
  buffers: readonly BlockActivations[],
  { choices, geluTable, runner }: BlockRun,
): Promise<BlockResult<Own>> {
  for (const [photo, stream] of streams.floats.entries()) {
    checkAborted(runner.signal);
    forward(stream, buffers[photo] as BlockActivations);
    runner.advance();
    await breathe();
  }
  const sensitivities: LayerSensitivity[] | undefined = choices.measured ? [] : undefined;
  const context: BlockContext = { ...site, ...choices, streams, buffers, geluTable, sensitivities, runner, edges: [] };
  const { float, prefix } = site;
  const norm1 = await quantizeNorm(
    context,
    {
      name: `${prefix}.norm1`,
      norm: float.norm1,
      next: float.qkv.weight,
      stream: streams,
      floats: buffers.map(({ ln1 }) => ln1),
    },
    `${prefix}.input`,
  );
  const { parts, attention } = await quantizeAttention(context, attentionSite, norm1);
  const middle = await quantizeProjection(context, attention);
  const hidden = await quantizeHidden(context, middle.norm2);
  const output = await quantizeOutput(context, hidden, middle);
  return {
    block: {
      norm1: norm1.choice.edge,
      ...parts,
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
    ...(sensitivities === undefined ? {} : { sensitivities }),
  };
}
