import type { SwinBlockGeometry, SwinStageGeometry } from '../swin/geometry.js';
import { swinSteps } from '../swin/order.js';
import type { SwinBlockWeights, SwinMergingWeights, SwinWeights } from '../swin/types.js';
import { shiftMask, spreadBias } from '../swin/windows.js';
import type { VitConfig } from '../vit/types.js';
import { attend } from './attention.js';
import { layerNorm } from './layer-norm.js';
import { gelu } from './math.js';
import { addInto, type BlockActivations, type HeadWeights, headForward, linear, patchVectors } from './vit-forward.js';

/** The embedding of one photo: `[T,C]` before and after its norm, tokens in the grid's order. */
export interface SwinEmbedding {
  readonly projection: Float32Array;
  readonly stream: Float32Array;
}

/**
 * Pixels to the residual stream before the first block.
 *
 * @throws IvitError `E_INPUT_SIZE` when the pixel count is wrong.
 */
export function swinEmbed(weights: SwinWeights, pixels: Uint8Array): SwinEmbedding {
  const { dim, layerNormEps, imageSize, patchSize } = weights.config;
  const tokens = (imageSize / patchSize) ** 2;
  const patches = patchVectors(weights, pixels);
  const projection = linear(patches, weights.patchEmbed, tokens, new Float32Array(tokens * dim));
  return { projection, stream: layerNorm(projection, weights.patchNorm, layerNormEps, new Float32Array(tokens * dim)) };
}

/** Rows of `x [R,width]` in another order. */
export function gatherRows<Data extends Float32Array | Int16Array>(x: Data, rows: Int32Array, into: Data): Data {
  const width = into.length / rows.length;
  for (const [at, row] of rows.entries()) into.set(x.subarray(row * width, (row + 1) * width), at * width);
  return into;
}

/** Fresh buffers for {@link swinBlockForward}; logits and probabilities are `[windows, H, N, N]`. */
export function createSwinActivations(geometry: SwinBlockGeometry, mlpDim: number): BlockActivations {
  const { side, dim, heads, window } = geometry;
  const tokens = side * side;
  const pairs = heads * tokens * window * window;
  return {
    ln1: new Float32Array(tokens * dim),
    qkv: new Float32Array(tokens * 3 * dim),
    logits: new Float32Array(pairs),
    probabilities: new Float32Array(pairs),
    attention: new Float32Array(tokens * dim),
    afterAttention: new Float32Array(tokens * dim),
    ln2: new Float32Array(tokens * dim),
    fc1: new Float32Array(tokens * mlpDim),
    gelu: new Float32Array(tokens * mlpDim),
    output: new Float32Array(tokens * dim),
  };
}

/**
 * One block on the residual stream `x [side²,C]`, tokens in the order of the block's windows, throughout.
 * The same arithmetic as `blockForward`, attention within each window, position bias and mask on the logits.
 *
 * @returns `into`.
 */
export function swinBlockForward(
  block: SwinBlockWeights,
  geometry: SwinBlockGeometry,
  eps: number,
  x: Float32Array,
  into: BlockActivations,
): BlockActivations {
  const { side, dim, heads, window, shift } = geometry;
  const tokens = side * side;
  const n = window * window;
  layerNorm(x, block.norm1, eps, into.ln1);
  linear(into.ln1, block.qkv, tokens, into.qkv);
  const bias = spreadBias(block.positionBias.data, window, heads, (length) => new Float32Array(length));
  const mask = shift === 0 ? undefined : shiftMask(side, window, shift);
  for (let w = 0; w < tokens / n; w += 1) {
    const part = (data: Float32Array, size: number): Float32Array => data.subarray(w * size, (w + 1) * size);
    const buffers = {
      logits: part(into.logits, heads * n * n),
      probabilities: part(into.probabilities, heads * n * n),
      attention: part(into.attention, n * dim),
    };
    attend(part(into.qkv, n * 3 * dim), n, heads, buffers, bias, mask?.subarray(w * n * n, (w + 1) * n * n));
  }
  linear(into.attention, block.proj, tokens, into.afterAttention);
  addInto(x, into.afterAttention);
  layerNorm(into.afterAttention, block.norm2, eps, into.ln2);
  linear(into.ln2, block.fc1, tokens, into.fc1);
  for (let i = 0; i < into.fc1.length; i += 1) into.gelu[i] = gelu(into.fc1[i] as number);
  linear(into.gelu, block.fc2, tokens, into.output);
  addInto(into.afterAttention, into.output);
  return into;
}

/** What patch merging computes for one photo: `[T/4,4C]` after its norm, `[T/4,2C]` after its reduction. */
export interface SwinMerged {
  readonly norm: Float32Array;
  readonly output: Float32Array;
}

/** @param merged `[T/4,4C]`, four neighbors side by side. */
export function swinMergingForward(
  merging: SwinMergingWeights,
  { side, dim }: SwinStageGeometry,
  eps: number,
  merged: Float32Array,
): SwinMerged {
  const norm = layerNorm(merged, merging.norm, eps, new Float32Array(merged.length));
  const rows = (side * side) / 4;
  return { norm, output: linear(norm, merging.reduction, rows, new Float32Array(rows * 2 * dim)) };
}

/** The end of a Swin as that of a ViT without class token: final norm, then the mean of the tokens, then the classifier. */
export function swinHead(weights: Pick<SwinWeights, 'config' | 'norm' | 'head'>): HeadWeights {
  const { config, norm, head } = weights;
  const stages = config.depths.length;
  const side = config.imageSize / config.patchSize / 2 ** (stages - 1);
  const dim = config.dim * 2 ** (stages - 1);
  const end: VitConfig = {
    imageSize: side,
    patchSize: 1,
    dim,
    depth: 0,
    heads: 1,
    mlpDim: 4 * dim,
    layerNormEps: config.layerNormEps,
    classes: config.classes,
    prefixTokens: 0,
    readout: 'norm-mean',
  };
  return { config: end, norm, head };
}

/**
 * The whole float Swin on one photo: u8 H×W×3 pixels to logits `[classes]`.
 *
 * @throws IvitError `E_INPUT_SIZE` when the pixel count is wrong; `E_MODEL_SHAPE`.
 */
export function swinForward(weights: SwinWeights, pixels: Uint8Array): Float32Array {
  const { layerNormEps } = weights.config;
  let x = swinEmbed(weights, pixels).stream;
  for (const step of swinSteps(weights.config)) {
    if (step.rows !== undefined) x = gatherRows(x, step.rows, new Float32Array(x.length));
    const stage = weights.stages[step.stage];
    if (step.kind === 'merging') {
      if (stage?.merging === undefined) throw new RangeError(`there is no merging after stage ${step.stage}`);
      x = swinMergingForward(stage.merging, step.geometry, layerNormEps, x).output;
      continue;
    }
    const block = stage?.blocks[step.block];
    if (block === undefined) throw new RangeError(`stage ${step.stage} has no block ${step.block}`);
    const buffers = createSwinActivations(step.geometry, block.fc1.bias.data.length);
    x = swinBlockForward(block, step.geometry, layerNormEps, x, buffers).output;
  }
  return headForward(swinHead(weights), x).logits;
}
