import { type SwinMergingWeights, type SwinWeights, swinStages } from '@ivit/models';
import {
  plainNorm,
  type RotationChoice,
  rotateBlockStream,
  rotateHeads,
  rotateInput,
  rotateOutput,
  streamRotation,
} from '../rotate-block.js';
import type { Rotation } from '../rotation.js';

/** Patch merging from a stream of `dim` channels to the next, each rotated where it has a rotation. */
function rotateMerging(
  { norm, reduction }: SwinMergingWeights,
  dim: number,
  before: Rotation | undefined,
  after: Rotation,
): SwinMergingWeights {
  if (before === undefined) return { norm, reduction: rotateOutput(reduction, after) };
  // Of four tokens side by side each is rotated, which keeps the mean of all: the norm commutes with that too.
  const merged = rotateInput(norm, reduction, before, dim);
  return { norm: plainNorm(norm), reduction: rotateOutput(merged, after) };
}

/**
 * The streams of all stages but the first, which starts with the scales of the embedding's own norm: no linear layer stands in
 * front of it that could take a rotation. The others start with a reduction.
 */
function rotateStreams(weights: SwinWeights): SwinWeights {
  const geometry = swinStages(weights.config);
  const rotations = geometry.map(({ dim }, index) => (index === 0 ? undefined : streamRotation(dim)));
  const last = rotations.at(-1);
  return {
    ...weights,
    stages: weights.stages.map(({ blocks, merging }, index) => {
      const [own, next] = [rotations[index], rotations[index + 1]];
      const rotated = own === undefined ? blocks : blocks.map((block) => rotateBlockStream(block, own));
      if (merging === undefined || next === undefined) return { blocks: rotated };
      return { blocks: rotated, merging: rotateMerging(merging, geometry[index]?.dim ?? 1, own, next) };
    }),
    ...(last === undefined
      ? {}
      : { norm: plainNorm(weights.norm), head: rotateInput(weights.norm, weights.head, last) }),
  };
}

/** As `rotateVit`: weights of the same function in which no channel of the chosen tensors stands out. */
export function rotateSwin(weights: SwinWeights, choice: RotationChoice): SwinWeights {
  const rotated = choice.stream ? rotateStreams(weights) : weights;
  const { heads } = weights.config;
  return {
    ...rotated,
    stages: rotated.stages.map((stage, index) => ({
      ...stage,
      blocks: stage.blocks.map((block) => rotateHeads(block, heads[index] ?? 1, choice)),
    })),
  };
}
