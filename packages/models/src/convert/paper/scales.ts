import { clamp, roundHalfEven } from '../rounding.js';

/** Smallest scale of the paper's code: float32 epsilon. */
const SMALLEST_SCALE = 2 ** -23;

/**
 * Symmetric scale of `bits` for values in [min, max], in float32 as the paper's code computes it (SEMANTICS §1):
 * `max(fl(max(-min, max) / (2^(bits-1) - 1)), 2^-23)`.
 */
export function activationScale(bits: 8 | 16, min: number, max: number): number {
  const largest = Math.max(-Math.fround(min), Math.fround(max));
  return Math.max(Math.fround(largest / (2 ** (bits - 1) - 1)), SMALLEST_SCALE);
}

/** `clamp(rne(fl(fl(1/s)·x)))` to `bits` (SEMANTICS §2): times the float32 reciprocal, not divided. */
export function quantize(x: number, reciprocal: number, bits: 8 | 16 | 32): number {
  const limit = 2 ** (bits - 1);
  return clamp(roundHalfEven(Math.fround(reciprocal * x)), -limit, limit - 1);
}

/** fl(1/s) */
export function reciprocalOf(scale: number): number {
  return Math.fround(1 / scale);
}

/** x0 = floor(fl(fl(1/s)·-1)): minus the number of steps that make one e-fold. Source: SEMANTICS §5. */
export function expStep(scale: number): number {
  return Math.floor(-reciprocalOf(scale));
}

/** x0 of ShiftGELU, whose sigmoid takes 1.702·x. Source: SEMANTICS §6. */
export function geluStep(scale: number): number {
  return expStep(Math.fround(scale * Math.fround(1.702)));
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
