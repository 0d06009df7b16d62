import { swinStages } from '../swin/geometry.js';
import type { SwinModelConfig, SwinWeights } from '../swin/types.js';
import { prefixTokens, tokenCount } from '../vit/tokens.js';
import type { FloatLinear, FloatNorm, FloatTensor, VitConfig, VitWeights } from '../vit/types.js';

/** Numbers of about this standard deviation around `center` (0 if left out), from whatever generator. */
export type TensorMaker = (shape: readonly number[], deviation: number, center?: number) => FloatTensor;

/** How large made-up weights are. */
export interface WeightSizes {
  /** Standard deviation of a linear layer's outputs over that of its inputs. */
  readonly gain: number;
  /** Layers with another gain. */
  readonly gains?: Readonly<Partial<Record<'qkv' | 'proj' | 'fc2', number>>>;
  /** Standard deviations. */
  readonly linearBias: number;
  readonly normWeight: number;
  readonly normBias: number;
  readonly position: number;
  /** Of the class token and its like. Default 0.5. */
  readonly token?: number;
  /**
   * The first channel whose norm weight is four times as large, and the distance to the next. Trained norms have a few of these:
   * what scale migration and row scales are for.
   */
  readonly strong?: readonly [first: number, step: number];
}

/** What weights say of themselves beside numbers. */
export type WeightDetails = Pick<VitWeights, 'preprocess' | 'sources'> & { readonly labels?: readonly string[] };

function layers(
  tensor: TensorMaker,
  sizes: WeightSizes,
): { linear(n: number, k: number, gain?: number): FloatLinear; norm(width: number): FloatNorm } {
  return {
    linear: (n, k, gain = sizes.gain) => ({
      weight: tensor([n, k], gain / Math.sqrt(k)),
      bias: tensor([n], sizes.linearBias),
    }),
    norm: (width) => {
      const weight = tensor([width], sizes.normWeight, 1);
      const [first, step] = sizes.strong ?? [width, 1];
      for (let channel = first; channel < width; channel += step) {
        weight.data[channel] = (weight.data[channel] as number) * 4;
      }
      return { weight, bias: tensor([width], sizes.normBias) };
    },
  };
}

function classLabels(classes: number): string[] {
  return Array.from({ length: classes }, (_, index) => `class ${index}`);
}

/**
 * Float weights of a ViT of any geometry that was never trained: for tests and measurements that need none. Tensors are made in
 * the order in which they stand here, block by block; another order would be another model.
 */
export function makeUpVit(
  config: VitConfig,
  tensor: TensorMaker,
  sizes: WeightSizes,
  details: WeightDetails,
): VitWeights {
  const { linear, norm } = layers(tensor, sizes);
  const { dim, mlpDim, classes, patchSize, depth } = config;
  return {
    labels: classLabels(classes),
    ...details,
    config,
    patchEmbed: linear(dim, patchSize * patchSize * 3),
    classToken: tensor([prefixTokens(config), dim], sizes.token ?? 0.5),
    positionEmbedding: tensor([tokenCount(config), dim], sizes.position),
    blocks: Array.from({ length: depth }, () => ({
      norm1: norm(dim),
      qkv: linear(3 * dim, dim, sizes.gains?.qkv),
      proj: linear(dim, dim, sizes.gains?.proj),
      norm2: norm(dim),
      fc1: linear(mlpDim, dim),
      fc2: linear(dim, mlpDim, sizes.gains?.fc2),
    })),
    norm: norm(dim),
    head: linear(classes, dim),
    ...(config.readout === 'distilled' ? { distillationHead: linear(classes, dim) } : {}),
  };
}

/** The same of a Swin; `position` is for its position biases. */
export function makeUpSwin(
  config: SwinModelConfig,
  tensor: TensorMaker,
  sizes: WeightSizes,
  details: WeightDetails,
): SwinWeights {
  const { linear, norm } = layers(tensor, sizes);
  const { patchSize, classes } = config;
  const stages = swinStages(config);
  const last = stages.at(-1)?.dim ?? config.dim;
  return {
    labels: classLabels(classes),
    ...details,
    config,
    patchEmbed: linear(config.dim, patchSize * patchSize * 3),
    patchNorm: norm(config.dim),
    stages: stages.map(({ dim, blocks, merges }) => ({
      blocks: blocks.map(({ heads, window }) => ({
        norm1: norm(dim),
        qkv: linear(3 * dim, dim, sizes.gains?.qkv),
        positionBias: tensor([(2 * window - 1) ** 2, heads], sizes.position),
        proj: linear(dim, dim, sizes.gains?.proj),
        norm2: norm(dim),
        fc1: linear(4 * dim, dim),
        fc2: linear(dim, 4 * dim, sizes.gains?.fc2),
      })),
      ...(merges
        ? {
            merging: {
              norm: norm(4 * dim),
              reduction: {
                weight: tensor([2 * dim, 4 * dim], 0.5 / Math.sqrt(dim)),
                bias: { shape: [2 * dim], data: new Float32Array(2 * dim) },
              },
            },
          }
        : {}),
    })),
    norm: norm(last),
    head: linear(classes, last),
  };
}
