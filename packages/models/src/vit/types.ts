/** A float tensor at convert time, dense row-major. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Geometry of a plain ViT/DeiT. */
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
  /** `[D]` */
  readonly classToken: FloatTensor;
  /** `[1+tokens, D]`, row 0 belongs to the class token. */
  readonly positionEmbedding: FloatTensor;
  readonly blocks: readonly VitBlockWeights[];
  readonly norm: FloatNorm;
  /** `[classes, D]` */
  readonly head: FloatLinear;
  /** sha256 (hex) of each source file. */
  readonly sources: readonly { readonly name: string; readonly sha256: string }[];
}
