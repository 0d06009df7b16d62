import {
  addAttention,
  addEdge,
  addSoftmaxTable,
  blockForward,
  blockPrefix,
  buildRecipeVit,
  createBlockActivations,
  prefixTokens,
  type RecipeBlock,
  tokenCount,
  type VitRecipe,
  type VitWeights,
} from '@ivit/models';
import type { AttentionSite } from './attention-stage.js';
import { BLOCK_PASSES, type BlockSite, quantizeBlock } from './block.js';
import type { Streams } from './block-context.js';
import { tensorsOf } from './check.js';
import { EMBED_PASSES, quantizeEmbed } from './embed.js';
import { HEAD_PASSES, quantizeHead } from './head.js';
import type { PtqModel, PtqRun } from './ptq.js';
import { rotateVit } from './rotate-vit.js';
import type { CalibrationPhoto } from './types.js';
import { vitLayers } from './weight-bits.js';

/** Attention of every token over every token. */
function attentionSite({ config }: VitWeights, prefix: string): AttentionSite<object> {
  return {
    keys: tokenCount(config),
    logitsOf: (logits) => logits,
    decide: () => ({}),
    build(builder, x, parts, apart) {
      const table = addSoftmaxTable(builder, parts.logits);
      addEdge(builder, addAttention(builder, config, prefix, x, parts, table), parts.attention, apart);
    },
  };
}

function blockSite(weights: VitWeights, index: number, { choices }: PtqRun): BlockSite<object> {
  const { config } = weights;
  const float = weights.blocks[index];
  if (float === undefined) throw new RangeError(`there is no block ${index}`);
  const prefix = blockPrefix(index);
  return {
    config,
    float,
    prefix,
    tokens: tokenCount(config),
    wideRows: choices.settings.wideTokens ? prefixTokens(config) : 0,
    attention: attentionSite(weights, prefix),
    forward: (stream, into) => void blockForward(weights, index, stream, into),
  };
}

async function decideVit(weights: VitWeights, photos: readonly CalibrationPhoto[], run: PtqRun): Promise<VitRecipe> {
  const { config } = weights;
  const { choices, runner } = run;
  const { settings, nonlinear, weightBits } = choices;
  const { embed, ...first } = await run.part('embed', EMBED_PASSES, () =>
    quantizeEmbed(weights, photos, runner, weightBits.get('embed')),
  );
  let streams: Streams = first.streams;
  const blocks: RecipeBlock[] = [];
  const probabilities = new Float32Array(config.heads * tokenCount(config) * tokenCount(config));
  let buffers: ReturnType<typeof createBlockActivations>[] | undefined;
  for (let index = 0; index < config.depth; index += 1) {
    const result = await run.part(`block ${index + 1}/${config.depth}`, BLOCK_PASSES, () => {
      buffers ??= photos.map(() => ({ ...createBlockActivations(config), probabilities }));
      return quantizeBlock(blockSite(weights, index, run), streams, buffers, run);
    });
    blocks.push(result.block);
    streams = result.streams;
  }
  const { head } = await run.part('head', HEAD_PASSES, () =>
    quantizeHead(weights, streams, runner, settings, nonlinear, weightBits.get('head')),
  );
  return { config, embed, blocks, head };
}

/** A ViT as the recipes `ptq@1`, `accurate@1` and `accurate@2` take it. */
export function vitModel(weights: VitWeights): PtqModel {
  return {
    architecture: 'vit',
    weights,
    layers: vitLayers(weights.config),
    passes: EMBED_PASSES + weights.config.depth * BLOCK_PASSES + HEAD_PASSES,
    tensors: () => tensorsOf(weights),
    rotated: (choice) => vitModel(rotateVit(weights, choice)),
    async quantize(photos, run) {
      const recipe = await decideVit(weights, photos, run);
      return (details) => buildRecipeVit(recipe, run.geluTable, details);
    },
  };
}
