/** A float tensor at convert time, dense row-major. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * What the classifier reads: the class row after the final norm; class and distillation row, each with a head of its
 * own, logits averaged; the mean of the patch rows, taken before or after the final norm.
 */
export type VitReadout = 'class' | 'distilled' | 'mean-norm' | 'norm-mean';

/** Geometry of a ViT/DeiT. */
export interface VitConfig {
  /** Input side in pixels (square). */
  readonly imageSize: number;
  readonly patchSize: number;
  /** Embedding width D. */
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpDim: number;
  readonly layerNormEps: number;
  readonly classes: number;
  /** Rows in front of the patches: class token, then distillation token. Absent = 1. */
  readonly prefixTokens?: 0 | 1 | 2;
  /** Absent = `class`. */
  readonly readout?: VitReadout;
}

/** How a photo becomes the model's float input: x = (u8/255 - mean) / std. */
export interface VitPreprocess {
  /** Shorter side after resizing, pixels. */
  readonly resize: number;
  readonly interpolation: 'bicubic' | 'bilinear';
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** Weight `[N,K]` and bias `[N]`: y = W·x + b. */
export interface FloatLinear {
  readonly weight: FloatTensor;
  readonly bias: FloatTensor;
}

/** LayerNorm γ (`weight`) and β (`bias`), `[D]`. */
export interface FloatNorm {
  readonly weight: FloatTensor;
  readonly bias: FloatTensor;
}

export interface VitBlockWeights {
  readonly norm1: FloatNorm;
  /** `[3D,D]`: q, k, v stacked, heads inside each. */
  readonly qkv: FloatLinear;
  readonly proj: FloatLinear;
  readonly norm2: FloatNorm;
  readonly fc1: FloatLinear;
  readonly fc2: FloatLinear;
}

/** Neutral float weights of a ViT, whatever names the checkpoint used. */
export interface VitWeights {
  readonly config: VitConfig;
  readonly preprocess: VitPreprocess;
  readonly labels: readonly string[];
  /** `[D, patch·patch·3]`, input order ky, kx, color (conv weights permuted by the reader). */
  readonly patchEmbed: FloatLinear;
  /** `[P,D]`, the rows in front of the patches: class token, then distillation token (P = `config.prefixTokens`). */
  readonly classToken: FloatTensor;
  /** `[P+patches, D]`; rows of 0 for prefix tokens without a position. */
  readonly positionEmbedding: FloatTensor;
  readonly blocks: readonly VitBlockWeights[];
  readonly norm: FloatNorm;
  /** `[classes, D]` */
  readonly head: FloatLinear;
  /** `[classes, D]`, of the distillation row; with readout `distilled` only. */
  readonly distillationHead?: FloatLinear;
  /** sha256 (hex) of each source file. */
  readonly sources: readonly { readonly name: string; readonly sha256: string }[];
}
