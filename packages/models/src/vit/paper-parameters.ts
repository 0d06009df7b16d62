import type { Dyadic } from '@ivit/dyadic';
import type { VitPreprocess } from './types.js';

/** Multipliers m·2^-e of one requantization, normalized; both of length 1 (per tensor) or C (per channel). */
export interface Dyadics {
  readonly m: Int32Array;
  /** 0 … 62 */
  readonly e: Uint8Array;
}

/** Integer linear layer: acc = W·q + b. */
export interface IntegerLinear {
  /** `[N,K]` */
  readonly weight: Int8Array;
  /** `[N]`, in ±(2^31 - 1). */
  readonly bias: Int32Array;
}

/** One block of the paper's ViT, all convert-time results; fields in the order of use. */
export interface PaperBlockParameters {
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
  readonly fc1: IntegerLinear;
  readonly mlpQactGelu: Dyadics;
  /** x0 of ShiftGELU, -127 … -1. */
  readonly geluX0: number;
  readonly mlpQact1: Dyadics;
  readonly fc2: IntegerLinear;
  readonly mlpQact2: Dyadics;
  readonly residual2: Dyadic;
  readonly stream2: Dyadic;
}

/** Everything the paper's ViT needs at run time: integers only. */
export interface PaperVitParameters {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly dim: number;
  readonly heads: number;
  readonly mlpDim: number;
  readonly classes: number;
  /** `[3,256]`: int8 input of each color and pixel value. */
  readonly pixelTable: Int8Array;
  /** Weight rows in the order ky, kx, color. */
  readonly patchEmbed: IntegerLinear;
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
  readonly head: IntegerLinear;
  /**
   * Real value of one unit of each class's accumulator, as m·2^-e; not normalized (e may pass 62 or be negative):
   * the unit of the logits is chosen with the program's bounds.
   */
  readonly headUnits: readonly Dyadic[];
}

/** What stands beside the numbers in a program built from {@link PaperVitParameters}. */
export interface PaperProgramDetails {
  readonly preprocess: Pick<VitPreprocess, 'resize' | 'interpolation'>;
  readonly labels?: readonly string[];
}
