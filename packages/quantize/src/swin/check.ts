import { type FloatTensor, type SwinWeights, swinStages } from '@ivit/models';
import { IvitError } from '@ivit/program';

/** Every float tensor of a Swin under a readable name, with the shape it must have, in a fixed order. */
export function* swinTensors(weights: SwinWeights): Generator<readonly [string, FloatTensor, readonly number[]]> {
  const { config } = weights;
  const layer = function* (
    name: string,
    { weight, bias }: { readonly weight: FloatTensor; readonly bias: FloatTensor },
    n: number,
    k?: number,
  ): Generator<readonly [string, FloatTensor, readonly number[]]> {
    yield [`${name}.weight`, weight, k === undefined ? [n] : [n, k]];
    yield [`${name}.bias`, bias, [n]];
  };
  yield* layer('patchEmbed', weights.patchEmbed, config.dim, config.patchSize * config.patchSize * 3);
  yield* layer('patchNorm', weights.patchNorm, config.dim);
  let last = config.dim;
  for (const [index, stage] of swinStages(config).entries()) {
    const { dim } = stage;
    last = dim;
    const own = weights.stages[index];
    if (own?.blocks.length !== stage.blocks.length || (own.merging === undefined) === stage.merges) {
      throw new IvitError('E_WEIGHTS_SHAPE', 'the configuration does not fit the stages', {
        where: `stages.${index}`,
        hint: 'Every stage has the blocks of its depth, and every one but the last a merging.',
      });
    }
    for (const [at, block] of own.blocks.entries()) {
      const name = `stages.${index}.blocks.${at}`;
      const { window = 1, heads = 1 } = stage.blocks[at] ?? {};
      const mlpDim = block.fc1.bias.data.length;
      yield* layer(`${name}.norm1`, block.norm1, dim);
      yield* layer(`${name}.qkv`, block.qkv, 3 * dim, dim);
      yield [`${name}.positionBias`, block.positionBias, [(2 * window - 1) ** 2, heads]];
      yield* layer(`${name}.proj`, block.proj, dim, dim);
      yield* layer(`${name}.norm2`, block.norm2, dim);
      yield* layer(`${name}.fc1`, block.fc1, mlpDim, dim);
      yield* layer(`${name}.fc2`, block.fc2, dim, mlpDim);
    }
    if (own.merging === undefined) continue;
    yield* layer(`stages.${index}.merging.norm`, own.merging.norm, 4 * dim);
    yield* layer(`stages.${index}.merging.reduction`, own.merging.reduction, 2 * dim, 4 * dim);
  }
  yield* layer('norm', weights.norm, last);
  yield* layer('head', weights.head, config.classes, last);
}
