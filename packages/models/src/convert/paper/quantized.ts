import type { IntegerLinear } from '../../paper/types.js';

import type { VitPreprocess } from '../../vit/types.js';
import type { PaperScales } from './scales.js';

/** Integer linear layer with the scale of each output channel's weights. */
export interface QuantizedLinear extends IntegerLinear {
  /** `[N]`, float32. */
  readonly scale: Float32Array;
}

/** I-LayerNorm: integer bias and the signed real value of one output unit, per channel (docs/spec/ivit-1.md §6). */
export interface QuantizedNorm {
  readonly bias: Int32Array;
  readonly scale: Float32Array;
}

export interface QuantizedBlock {
  readonly norm1: QuantizedNorm;
  readonly qkv: QuantizedLinear;
  readonly proj: QuantizedLinear;
  readonly norm2: QuantizedNorm;
  readonly fc1: QuantizedLinear;
  readonly fc2: QuantizedLinear;
}

/** The paper's ViT with integer weights and float32 scales: what its checkpoint holds. */
export interface PaperQuantizedVit {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly dim: number;
  readonly heads: number;
  readonly mlpDim: number;
  readonly classes: number;
  readonly preprocess: VitPreprocess;
  /** `qact_input`, i8. */
  readonly inputScale: number;
  /** Weight rows in the order ky, kx, color. */
  readonly patchEmbed: QuantizedLinear;
  /** `[D]`, float32. */
  readonly classToken: Float32Array;
  /** `[1+T,D]`, float32. */
  readonly position: Float32Array;
  /** `qact_pos`, i16. */
  readonly positionScale: number;
  readonly scales: PaperScales;
  readonly blocks: readonly QuantizedBlock[];
  readonly norm: QuantizedNorm;
  readonly head: QuantizedLinear;
}
