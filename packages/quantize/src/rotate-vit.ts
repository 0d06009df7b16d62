import type { VitWeights } from '@ivit/models';
import {
  plainNorm,
  type RotationChoice,
  rotateBlockStream,
  rotateHeads,
  rotateInput,
  rotateOutput,
  rotateTable,
  streamRotation,
} from './rotate-block.js';

function rotateStream(weights: VitWeights): VitWeights {
  const { dim } = weights.config;
  const rotation = streamRotation(dim);
  return {
    ...weights,
    patchEmbed: rotateOutput(weights.patchEmbed, rotation),
    classToken: rotateTable(weights.classToken, rotation, dim),
    positionEmbedding: rotateTable(weights.positionEmbedding, rotation, dim),
    blocks: weights.blocks.map((block) => rotateBlockStream(block, rotation)),
    norm: plainNorm(weights.norm),
    head: rotateInput(weights.norm, weights.head, rotation),
    ...(weights.distillationHead === undefined
      ? {}
      : { distillationHead: rotateInput(weights.norm, weights.distillationHead, rotation) }),
  };
}

/** Weights of the same function, to float32's rounding, in which no channel of the chosen tensors stands out. */
export function rotateVit(weights: VitWeights, choice: RotationChoice): VitWeights {
  const rotated = choice.stream ? rotateStream(weights) : weights;
  const { heads } = weights.config;
  return { ...rotated, blocks: rotated.blocks.map((block) => rotateHeads(block, heads, choice)) };
}
