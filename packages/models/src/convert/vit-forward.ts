import { IvitError } from '@ivit/program';
import { patchCount, prefixTokens, readoutOf, tokenCount } from '../vit/tokens.js';
import type { FloatLinear, VitConfig, VitPreprocess, VitWeights } from '../vit/types.js';
import { type AttentionBuffers, attend } from './attention.js';
import { matmulF32 } from './gemm.js';
import { layerNorm } from './layer-norm.js';
import { gelu } from './math.js';

/**
 * Everything one block computes for one photo. N = tokenCount(config) tokens (prefix tokens, then patches),
 * D = dim, H = heads, M = mlpDim; float32, row-major.
 */
export interface BlockActivations extends AttentionBuffers {
  /** `[N,D]`, input of qkv. */
  readonly ln1: Float32Array;
  /** `[N,3D]`: q, k, v side by side, heads inside each. */
  readonly qkv: Float32Array;
  /** `[N,D]`, residual stream after the attention half. */
  readonly afterAttention: Float32Array;
  /** `[N,D]`, input of fc1. */
  readonly ln2: Float32Array;
  /** `[N,M]`, before GELU. */
  readonly fc1: Float32Array;
  /** `[N,M]`, input of fc2. */
  readonly gelu: Float32Array;
  /** `[N,D]`, residual stream after the block. */
  readonly output: Float32Array;
}

/** Fresh buffers for {@link blockForward}; one set serves any number of calls. */
export function createBlockActivations(config: VitConfig): BlockActivations {
  const n = tokenCount(config);
  const { dim, heads, mlpDim } = config;
  return {
    ln1: new Float32Array(n * dim),
    qkv: new Float32Array(n * 3 * dim),
    logits: new Float32Array(heads * n * n),
    probabilities: new Float32Array(heads * n * n),
    attention: new Float32Array(n * dim),
    afterAttention: new Float32Array(n * dim),
    ln2: new Float32Array(n * dim),
    fc1: new Float32Array(n * mlpDim),
    gelu: new Float32Array(n * mlpDim),
    output: new Float32Array(n * dim),
  };
}

/** Float input of each pixel value and color: `table[color·256 + u8] = f32((u8/255 - mean)/std)`. */
export function pixelTable(preprocess: VitPreprocess): Float32Array {
  const table = new Float32Array(3 * 256);
  for (let color = 0; color < 3; color += 1) {
    const mean = preprocess.mean[color] as number;
    const std = preprocess.std[color] as number;
    for (let value = 0; value < 256; value += 1) table[color * 256 + value] = (value / 255 - mean) / std;
  }
  return table;
}

/** Offsets into H×W×3 pixels of the patch vectors `[T, patch·patch·3]`, order ky, kx, color. */
export function patchOffsets(config: Pick<VitConfig, 'imageSize' | 'patchSize'>): Int32Array {
  const { imageSize, patchSize } = config;
  const side = imageSize / patchSize;
  const offsets = new Int32Array(imageSize * imageSize * 3);
  let at = 0;
  for (let patch = 0; patch < side * side; patch += 1) {
    const top = Math.floor(patch / side) * patchSize;
    const left = (patch % side) * patchSize;
    for (let y = top; y < top + patchSize; y += 1) {
      const line = (y * imageSize + left) * 3;
      for (let i = 0; i < patchSize * 3; i += 1, at += 1) offsets[at] = line + i;
    }
  }
  return offsets;
}

/** Linear layer on rows, with a shape check that names no layer: callers pass what the reader has checked. */
export function linear(x: Float32Array, layer: FloatLinear, rows: number, out: Float32Array): Float32Array {
  const [n, k] = layer.weight.shape as readonly [number, number];
  return matmulF32(x, layer.weight.data, layer.bias.data, rows, n, k, out);
}

/**
 * Pixels to the residual stream before block 0.
 *
 * @param pixels u8 H×W×3, row-major, H = W = imageSize.
 * @returns `[N,D]`: prefix tokens and patches, position embedding added.
 * @throws IvitError `E_INPUT_SIZE` when the pixel count is wrong.
 */
export function embed(weights: VitWeights, pixels: Uint8Array): Float32Array {
  const { config } = weights;
  const { dim } = config;
  const stream = new Float32Array(tokenCount(config) * dim);
  linear(
    patchVectors(weights, pixels),
    weights.patchEmbed,
    patchCount(config),
    stream.subarray(prefixTokens(config) * dim),
  );
  stream.set(weights.classToken.data, 0);
  const position = weights.positionEmbedding.data;
  for (let i = 0; i < stream.length; i += 1) stream[i] = (stream[i] as number) + (position[i] as number);
  return stream;
}

/**
 * Normalized pixels as patch vectors `[T, patch·patch·3]`, order ky, kx, color.
 *
 * @throws IvitError `E_INPUT_SIZE` when the pixel count is wrong.
 */
export function patchVectors(
  {
    config,
    preprocess,
  }: { readonly config: Pick<VitConfig, 'imageSize' | 'patchSize'>; readonly preprocess: VitPreprocess },
  pixels: Uint8Array,
): Float32Array {
  const { imageSize } = config;
  if (pixels.length !== imageSize * imageSize * 3) {
    throw new IvitError('E_INPUT_SIZE', `${pixels.length} pixel bytes instead of ${imageSize * imageSize * 3}`, {
      where: 'pixels',
      hint: `Pass ${imageSize}x${imageSize} RGB, one byte per color.`,
    });
  }
  const table = pixelTable(preprocess);
  const offsets = patchOffsets(config);
  const patches = new Float32Array(pixels.length);
  for (let i = 0; i < patches.length; i += 1) {
    const offset = offsets[i] as number;
    patches[i] = table[(offset % 3) * 256 + (pixels[offset] as number)] as number;
  }
  return patches;
}

/** `sum[i] = f32(a[i] + b[i])`, in place on `b`. */
export function addInto(a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < b.length; i += 1) b[i] = (a[i] as number) + (b[i] as number);
}

/**
 * One transformer block on the residual stream `x [N,D]`.
 *
 * Float32 storage, float64 sums in a fixed order, own exp and erf: the same bits on every engine.
 *
 * @param into Buffers to fill (see {@link createBlockActivations}); `x` may be `into.output` of the block before.
 * @returns `into`; the next block's input is its `output`.
 */
export function blockForward(
  weights: VitWeights,
  index: number,
  x: Float32Array,
  into: BlockActivations = createBlockActivations(weights.config),
): BlockActivations {
  const block = weights.blocks[index];
  if (block === undefined) throw new RangeError(`there is no block ${index}`);
  const { heads, layerNormEps } = weights.config;
  const n = tokenCount(weights.config);
  layerNorm(x, block.norm1, layerNormEps, into.ln1);
  linear(into.ln1, block.qkv, n, into.qkv);
  attend(into.qkv, n, heads, into);
  linear(into.attention, block.proj, n, into.afterAttention);
  addInto(x, into.afterAttention);
  layerNorm(into.afterAttention, block.norm2, layerNormEps, into.ln2);
  linear(into.ln2, block.fc1, n, into.fc1);
  for (let i = 0; i < into.fc1.length; i += 1) into.gelu[i] = gelu(into.fc1[i] as number);
  linear(into.gelu, block.fc2, n, into.output);
  addInto(into.afterAttention, into.output);
  return into;
}

/** What the end of a model needs to know. */
export type HeadWeights = Pick<VitWeights, 'config' | 'norm' | 'head' | 'distillationHead'>;

/** What the end of the model computes for one photo. */
export interface HeadActivations {
  /** `[D]`, input of the classifier. */
  readonly norm: Float32Array;
  /** `[classes]` */
  readonly logits: Float32Array;
  /** `[patches,D]`, rows after the final norm; readout `norm-mean` only. */
  readonly rows?: Float32Array;
  /** `[D]`, input of the distillation classifier; readout `distilled` only. */
  readonly distillationNorm?: Float32Array;
}

/** f32 mean of the rows of `x [rows,D]`, summed in float64, rows ascending. */
function meanOfRows(x: Float32Array, dim: number): Float32Array {
  const rows = x.length / dim;
  const mean = new Float32Array(dim);
  for (let c = 0; c < dim; c += 1) {
    let sum = 0;
    for (let at = c; at < x.length; at += dim) sum += x[at] as number;
    mean[c] = sum / rows;
  }
  return mean;
}

/** Final norm, pooling and classifier on the residual stream `x [N,D]`. */
export function headForward(weights: HeadWeights, x: Float32Array): HeadActivations {
  const { config } = weights;
  const { dim, classes, layerNormEps } = config;
  const normOf = (rows: Float32Array): Float32Array =>
    layerNorm(rows, weights.norm, layerNormEps, new Float32Array(rows.length));
  const classify = (head: FloatLinear, row: Float32Array): Float32Array =>
    linear(row, head, 1, new Float32Array(classes));
  const readout = readoutOf(config);
  const patches = x.subarray(prefixTokens(config) * dim);
  if (readout === 'norm-mean') {
    const rows = normOf(patches);
    const norm = meanOfRows(rows, dim);
    return { norm, logits: classify(weights.head, norm), rows };
  }
  const norm = normOf(readout === 'mean-norm' ? meanOfRows(patches, dim) : x.subarray(0, dim));
  const logits = classify(weights.head, norm);
  if (readout !== 'distilled') return { norm, logits };
  if (weights.distillationHead === undefined) throw new RangeError('a distilled model needs a distillation head');
  const distillationNorm = normOf(x.subarray(dim, 2 * dim));
  const other = classify(weights.distillationHead, distillationNorm);
  return { norm, logits: logits.map((logit, c) => (logit + (other[c] as number)) / 2), distillationNorm };
}

/**
 * The whole float model on one photo: u8 H×W×3 pixels to logits `[classes]`.
 *
 * @throws IvitError `E_INPUT_SIZE` when the pixel count is wrong.
 */
export function vitForward(weights: VitWeights, pixels: Uint8Array): Float32Array {
  let x = embed(weights, pixels);
  const buffers = createBlockActivations(weights.config);
  for (let index = 0; index < weights.blocks.length; index += 1) {
    x = blockForward(weights, index, x, buffers).output;
  }
  return headForward(weights, x).logits;
}
