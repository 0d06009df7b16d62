import type { VitConfig } from './types.js';

/** `y = rne(x·m[c]·2^-e) + z[c]`; m and z of length 1 (whole tensor) or one per channel, one shift for all. */
export interface StaticScaling {
  readonly m: Int32Array;
  /** 0 … 32. */
  readonly e: number;
  /** Absent = 0. */
  readonly z?: Int32Array;
}

/** `y = rne((x·f·m[c]·2^E + bias[c]·2^k)·2^-e)`, (f, E) being the row's scale code. */
export interface RowScaling {
  readonly m: Int32Array;
  /** 0 … 32. */
  readonly e: number;
  readonly bias: Int32Array;
  /** 0 … 62. */
  readonly k: number;
}

/** One ratio m·2^-e. */
export interface Ratio {
  readonly m: number;
  readonly e: number;
}

/** Bits of the weights in `RecipeLinear.low`. */
export const LOW_BITS = 4;

/** int8 weights `[N,K]` behind a row-quantized input with zero-point z, K counting slots. */
export interface RecipeLinear {
  readonly weight: Int8Array;
  /** `[N]`: -z·Σ_k weight[n,k] over base codes, 128·Σ over slots above, -127·Σ over slots below. */
  readonly offset: Int32Array;
  readonly scaling: RowScaling;
  /** Bits of a weight in the file, 2 … 7; absent = 8. */
  readonly bits?: number;
  /** Of the edge's wide rows: `y = rne(x·m[n]·2^-e) + z[n]`, x being int16 times weights. Absent where there are none. */
  readonly wide?: StaticScaling;
  /** Of the first output channels of wide rows once more, to int16 in finer units. Absent where nobody reads it. */
  readonly fine?: StaticScaling;
  /** `[N,K]`, -8 … 7: what weights have beyond `weight`, in 1/16 of its unit, where all rows are wide. Absent = nothing. */
  readonly low?: Int8Array;
}

/**
 * LayerNorm input in 8 bits with a power-of-two factor per channel (FQ-ViT): `q = clamp_i8(rne(x·m·2^-(e+alpha[c])) + z)`,
 * and `layernorm` sees `(q - z)·2^alpha[c]`.
 */
export interface RecipeFactors {
  readonly m: number;
  readonly e: number;
  readonly z: number;
  /** `[D]`, 0 … 3. */
  readonly alpha: Int32Array;
}

/**
 * Channels of a row-quantized tensor, slots included: a channel that reaches further than the others has its range
 * split over several int8 codes. Code j is of channel `channels[j]`; `slot[j]` is 0 for the channel's base code, k > 0
 * for the k-th 255 steps above it and k < 0 for the -k-th below. Base codes come first, in the order of the channels.
 */
export interface RecipeSplit {
  readonly channels: Int32Array;
  readonly slot: Int8Array;
}

/** What stands in front of a linear layer: to int16, then to int8 by row with zero-point `zeroPoint`. */
export interface RecipeEdge {
  readonly scaling: StaticScaling;
  /** z of `rowquantize`: a row fits when its values lie in (-128 - z … 127 - z) row steps. */
  readonly zeroPoint: number;
  /** Of a norm: its input in 8 bits. Absent = the int16 stream itself. */
  readonly factors?: RecipeFactors;
  /** Absent = one code per channel. */
  readonly split?: RecipeSplit;
  /** int16 value whose row scale all rows get; absent = each row its own. Not with `split`. */
  readonly fixed?: number;
  /**
   * How many rows, from the first, are int16 in front of the linear layer instead of int8: those that the readout reads.
   * Absent = 0.
   */
  readonly wideRows?: number;
}

/** Attention logits, and what becomes of them. */
export interface RecipeLogits {
  /** The same from the fine queries of wide rows. Absent where these are like the others. */
  readonly wide?: StaticScaling;
  /** Per head: q·k to int16 in units of 2^-fractionBits, in the log2 domain without `table`, of the logit itself with one. */
  readonly scaling: StaticScaling;
  readonly fractionBits: number;
  /** Exponential by distance from the row's maximum (`softmax` with a table); absent = `pow2`. */
  readonly table?: Int32Array;
  /** Probabilities as log2 codes of 4 bits, P·V by shifts (`softmax` and `matmul` of ivit/1.1). */
  readonly log2?: 4;
}

/** Pixels to the residual stream. */
export interface RecipeEmbed {
  /** `[D, patch·patch·3]` on pixels minus 128. */
  readonly weight: Int8Array;
  /** Bits of a weight in the file, 2 … 7; absent = 8. */
  readonly bits?: number;
  /** `[D]` */
  readonly bias: Int32Array;
  readonly scaling: StaticScaling;
  /** `[patches, D]` i16, the prefix tokens' rows left out. */
  readonly position: Int16Array;
  readonly positionRatio: Ratio;
  /** `[P,D]`: prefix tokens plus their positions, in the residual's unit. */
  readonly classRow: Int16Array;
}

/** fc1's output in coarser steps, and GELU on them. */
export interface RecipeHidden {
  /** Steps of 2^-fractionBits, 1 … 6. */
  readonly fractionBits: number;
  /** u of `ramplookup`. */
  readonly ramp: number;
  /** Of `ramplookup`, in units of 2^-(fractionBits + ramp). */
  readonly table: Int16Array;
}

export interface RecipeBlock {
  readonly norm1: RecipeEdge;
  readonly qkv: RecipeLinear;
  readonly logits: RecipeLogits;
  readonly attention: RecipeEdge;
  readonly proj: RecipeLinear;
  /** Old residual unit over the new one. */
  readonly residual1: Ratio;
  readonly norm2: RecipeEdge;
  readonly fc1: RecipeLinear;
  /** How fc1 comes out where its values reach further than 256; absent = in steps of 2^-7, through the program's table. */
  readonly hidden?: RecipeHidden;
  readonly gelu: RecipeEdge;
  readonly fc2: RecipeLinear;
  readonly residual2: Ratio;
}

export interface RecipeHead {
  readonly norm: RecipeEdge;
  /** With a distillation head: to half the logits. */
  readonly linear: RecipeLinear;
  /** The distillation row's norm and classifier (to half the logits); readout `distilled` only. */
  readonly distillation?: { readonly norm: RecipeEdge; readonly linear: RecipeLinear };
  /** Logits come in units of 2^-outputShift. */
  readonly outputShift: number;
}

/** Every integer of a ViT under the recipes `ptq@1`, `accurate@1` and `accurate@2`. */
export interface VitRecipe {
  readonly config: VitConfig;
  readonly embed: RecipeEmbed;
  readonly blocks: readonly RecipeBlock[];
  readonly head: RecipeHead;
}

/** fc1 comes out in steps of 2^-7, GELU in units of 2^-12 (= 2^-7·2^-GELU_RAMP). */
export const GELU_INPUT_STEP_BITS = 7;
export const GELU_RAMP = 5;
/** Entries of the GELU table: |x| up to 576/128 = 4.5, where GELU(x) and max(x, 0) agree within 2^-12/16. */
export const GELU_TABLE_LENGTH = 577;
