import { symmetricScale } from '@ivit/nonlinear/convert';

/** Symmetric scale of `bits` for values in [min, max], in float32 as the paper's code computes it. */
export function activationScale(bits: 8 | 16, min: number, max: number): number {
  return symmetricScale(min, max, bits);
}

/** Activation scales of one block: the real value of one unit, float32, by the checkpoint's module names. */
export interface PaperBlockScales {
  /** `qact1`, i8: first LayerNorm's output. */
  readonly qact1: number;
  /** `attn.qact1`, i8: q, k and v. */
  readonly attnQact1: number;
  /** `attn.qact_attn1`, i8: attention logits. */
  readonly attnLogits: number;
  /** `attn.qact2`, i8: attention output. */
  readonly attnQact2: number;
  /** `attn.qact3`, i16: projection. */
  readonly attnQact3: number;
  /** `qact2`, i16: residual stream after attention. */
  readonly qact2: number;
  /** `qact3`, i8: second LayerNorm's output. */
  readonly qact3: number;
  /** `mlp.qact_gelu`, i8: before GELU. */
  readonly mlpQactGelu: number;
  /** `mlp.qact1`, i8: after GELU. */
  readonly mlpQact1: number;
  /** `mlp.qact2`, i16: fc2. */
  readonly mlpQact2: number;
  /** `qact4`, i16: residual stream after the block. */
  readonly qact4: number;
}

/** Activation scales of the whole model. */
export interface PaperScales {
  /** `qact_input`, i8; by default the largest value that a pixel can take. */
  readonly qactInput?: number;
  /** `patch_embed.qact`, i16. */
  readonly patchQact: number;
  /** `qact1`, i16: residual stream after the position embedding. */
  readonly qact1: number;
  readonly blocks: readonly PaperBlockScales[];
  /** `qact2`, i8: final LayerNorm's output. */
  readonly qact2: number;
}
