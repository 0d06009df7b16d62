import type { Dyadic } from '@ivit/dyadic';
import type {
  Dyadics,
  IntegerLinear,
  PaperBlockParameters,
  PaperHeadParameters,
  PaperPatchParameters,
} from '../paper/types.js';
import type { SwinConfig } from './geometry.js';

/** One block of the paper's Swin. N = window² tokens. */
export interface PaperSwinBlockParameters extends PaperBlockParameters {
  /** Logits plus position bias: the logits' factor, the bias `[heads,N,N]`, and its factor. */
  readonly logitsPart: Dyadic;
  readonly positionBias: Int8Array;
  readonly biasPart: Dyadic;
  /** What a masked pair's logit gains, negative: floor(-100/s). Used in shifted blocks only. */
  readonly maskUnits: number;
}

/** Patch merging: four tokens of C channels to one of 2C. */
export interface PaperMergingParameters {
  /** `[4C]` */
  readonly norm: Int32Array;
  readonly qact1: Dyadics;
  /** `[2C,4C]`; no bias. */
  readonly reduction: Pick<IntegerLinear, 'weight'>;
  /** To i8: the next stage's stream until its first residual add. */
  readonly qact2: Dyadics;
}

export interface PaperSwinStageParameters {
  readonly mlpDim: number;
  readonly blocks: readonly PaperSwinBlockParameters[];
  /** Absent in the last stage. */
  readonly merging?: PaperMergingParameters;
}

/** Everything the paper's Swin needs at run time: integers only. */
export interface PaperSwinParameters extends PaperPatchParameters, PaperHeadParameters {
  readonly config: SwinConfig;
  readonly classes: number;
  /** `patch_embed.qact_before_norm`, i8. */
  readonly patchQact: Dyadics;
  /** `patch_embed.norm` on i8, `[C]`. */
  readonly patchNorm: Int32Array;
  /** `patch_embed.qact`, i16. */
  readonly patchNormQact: Dyadics;
  /** `qact1`, i16. */
  readonly qact1: Dyadics;
  readonly stages: readonly PaperSwinStageParameters[];
  readonly norm: Int32Array;
  readonly qact2: Dyadics;
  /** `qact3`, i8: the mean over all tokens. */
  readonly qact3: Dyadics;
}
