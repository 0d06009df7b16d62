import type { Dyadic } from '@ivit/dyadic';
import type { VitPreprocess } from '../vit/types.js';

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

/** Pixels to patch accumulators. */
export interface PaperPatchParameters {
  /** `[3,256]`: int8 input of each color and pixel value. */
  readonly pixelTable: Int8Array;
  /** Weight rows in the order ky, kx, color. */
  readonly patchEmbed: IntegerLinear;
}

/** The second half of a block, up to the residual add; fields in the order of use. */
export interface PaperMlpParameters {
  readonly fc1: IntegerLinear;
  readonly mlpQactGelu: Dyadics;
  /** x0 of ShiftGELU, -127 … -1. */
  readonly geluX0: number;
  readonly mlpQact1: Dyadics;
  readonly fc2: IntegerLinear;
  readonly mlpQact2: Dyadics;
}

/** A block of either family, all convert-time results; fields in the order of use. */
export interface PaperBlockParameters extends PaperMlpParameters {
  /** I-LayerNorm bias, one entry per channel. */
  readonly norm1: Int32Array;
  readonly qact1: Dyadics;
  readonly qkv: IntegerLinear;
  readonly attnQact1: Dyadics;
  readonly attnLogits: Dyadics;
  /** x0 of Shiftmax, negative. */
  readonly softmaxX0: number;
  /** Probabilities times v, to i8. */
  readonly attnMixed: Dyadics;
  readonly proj: IntegerLinear;
  /** To i16. */
  readonly attnProjected: Dyadics;
  /** Residual add after attention: the new part, and the stream. */
  readonly residual1: Dyadic;
  readonly stream1: Dyadic;
  readonly norm2: Int32Array;
  readonly qact3: Dyadics;
  readonly residual2: Dyadic;
  readonly stream2: Dyadic;
}

/** The classifier. */
export interface PaperHeadParameters {
  readonly head: IntegerLinear;
  /**
   * Real value of one unit of each class's accumulator, as m·2^-e; not normalized (e may pass 62 or be negative):
   * the unit of the logits is chosen with the program's bounds.
   */
  readonly headUnits: readonly Dyadic[];
}

/** What stands beside the numbers in a program of the paper. */
export interface PaperProgramDetails {
  readonly preprocess: Pick<VitPreprocess, 'resize' | 'interpolation'>;
  readonly labels?: readonly string[];
}
