import type { FloatLinear, FloatNorm, FloatTensor, VitBlockWeights, VitPreprocess, VitWeights } from '../vit/types.js';
import type { SwinConfig } from './geometry.js';

/** Sizes of a Swin with what its float computation needs beside them. */
export interface SwinModelConfig extends SwinConfig {
  readonly layerNormEps: number;
  readonly classes: number;
}

export interface SwinBlockWeights extends VitBlockWeights {
  /** `[(2·window-1)², heads]`: bias of each relative position. */
  readonly positionBias: FloatTensor;
}

export interface SwinMergingWeights {
  /** `[4C]` */
  readonly norm: FloatNorm;
  /** `[2C,4C]`, bias of zeros. */
  readonly reduction: FloatLinear;
}

export interface SwinStageWeights {
  readonly blocks: readonly SwinBlockWeights[];
  /** After every stage but the last. */
  readonly merging?: SwinMergingWeights;
}

/** Neutral float weights of a Swin, whatever names the checkpoint used. */
export interface SwinWeights {
  readonly config: SwinModelConfig;
  readonly preprocess: VitPreprocess;
  readonly labels: readonly string[];
  /** `[C, patch·patch·3]`, input order ky, kx, color (conv weights permuted by the reader). */
  readonly patchEmbed: FloatLinear;
  readonly patchNorm: FloatNorm;
  readonly stages: readonly SwinStageWeights[];
  readonly norm: FloatNorm;
  /** `[classes, C of the last stage]` */
  readonly head: FloatLinear;
  readonly sources: VitWeights['sources'];
}
