import type { SwinConfig } from '../../swin/geometry.js';
import type { VitPreprocess } from '../../vit/types.js';
import type { CommonScales } from './block.js';
import type { QuantizedBlock, QuantizedLinear, QuantizedNorm } from './quantized.js';

/** Activation scales of one Swin block: the real value of one unit, float32, by the checkpoint's module names. */
export interface PaperSwinBlockScales extends CommonScales {
  /** `attn.qact_table`, i8: relative position biases. */
  readonly attnTable: number;
  /** `attn.qact2`, i8: logits plus bias, the input of Shiftmax. */
  readonly attnQact2: number;
  /** `attn.qact3`, i8: attention output. */
  readonly attnQact3: number;
  /** `attn.qact4`, i16: projection. */
  readonly attnQact4: number;
}

export interface QuantizedSwinBlock extends QuantizedBlock {
  /** `[(2·window-1)², heads]`, float32. */
  readonly biasTable: Float32Array;
}

/** Patch merging with its scales. */
export interface QuantizedMerging {
  readonly norm: QuantizedNorm;
  /** `[2C,4C]`; its bias is zero and not part of the program. */
  readonly reduction: QuantizedLinear;
  /** `downsample.qact1`, i8. */
  readonly qact1: number;
  /** `downsample.qact2`, i8: the next stage's stream. */
  readonly qact2: number;
}

export interface QuantizedSwinStage {
  readonly mlpDim: number;
  readonly blocks: readonly { readonly weights: QuantizedSwinBlock; readonly scales: PaperSwinBlockScales }[];
  /** Absent in the last stage. */
  readonly merging?: QuantizedMerging;
}

/** The paper's Swin with integer weights and float32 scales: what its checkpoint holds. */
export interface PaperQuantizedSwin {
  readonly config: SwinConfig;
  readonly classes: number;
  readonly preprocess: VitPreprocess;
  /** `qact_input`, i8. */
  readonly inputScale: number;
  /** Weight rows in the order ky, kx, color. */
  readonly patchEmbed: QuantizedLinear;
  /** `patch_embed.qact_before_norm`, i8. */
  readonly patchQact: number;
  readonly patchNorm: QuantizedNorm;
  /** `patch_embed.qact`, i16. */
  readonly patchNormQact: number;
  /** `qact1`, i16. */
  readonly qact1: number;
  readonly stages: readonly QuantizedSwinStage[];
  readonly norm: QuantizedNorm;
  /** `qact2`, i8. */
  readonly qact2: number;
  /** `qact3`, i8: mean over all tokens. */
  readonly qact3: number;
  readonly head: QuantizedLinear;
}
