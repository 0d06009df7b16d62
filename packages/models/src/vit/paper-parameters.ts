import type { Dyadic } from '@ivit/dyadic';
import type {
  Dyadics,
  IntegerLinear,
  PaperHeadParameters,
  PaperMlpParameters,
  PaperPatchParameters,
} from '../paper/types.js';

/** One block of the paper's ViT, all convert-time results; fields in the order of use. */
export interface PaperBlockParameters extends PaperMlpParameters {
  /** I-LayerNorm bias `[D]`. */
  readonly norm1: Int32Array;
  readonly qact1: Dyadics;
  readonly qkv: IntegerLinear;
  readonly attnQact1: Dyadics;
  readonly attnLogits: Dyadics;
  /** x0 of Shiftmax, negative. */
  readonly softmaxX0: number;
  readonly attnQact2: Dyadics;
  readonly proj: IntegerLinear;
  readonly attnQact3: Dyadics;
  /** Residual add after attention: the new part, and the stream. */
  readonly residual1: Dyadic;
  readonly stream1: Dyadic;
  readonly norm2: Int32Array;
  readonly qact3: Dyadics;
  readonly residual2: Dyadic;
  readonly stream2: Dyadic;
}

/** Everything the paper's ViT needs at run time: integers only. */
export interface PaperVitParameters extends PaperPatchParameters, PaperHeadParameters {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly dim: number;
  readonly heads: number;
  readonly mlpDim: number;
  readonly classes: number;
  readonly patchQact: Dyadics;
  /** `[D]`, not clamped to int16. */
  readonly classToken: Int32Array;
  /** `[1+T,D]` */
  readonly position: Int16Array;
  /** Sum of patches and position: the patches' factor, and the position's. */
  readonly patchPart: Dyadic;
  readonly positionPart: Dyadic;
  readonly blocks: readonly PaperBlockParameters[];
  readonly norm: Int32Array;
  readonly qact2: Dyadics;
}
