import type { FloatLinear, FloatNorm, FloatTensor, VitBlockWeights } from '@ivit/models';
import { createRotation, type Rotation } from './rotation.js';

/** Which equivalent form of the weights a recipe quantizes. */
export interface RotationChoice {
  /** The residual stream, by one rotation that keeps its mean: LayerNorm commutes with it. */
  readonly stream: boolean;
  /** v and the attention output, head by head. */
  readonly values: boolean;
  /** q and k, head by head, balanced against each other first: q·k does not change. */
  readonly keys: boolean;
}

const SEED = 1;

/** The rotation of a residual stream of so many channels: it keeps the mean. */
export function streamRotation(dim: number): Rotation {
  return createRotation(dim, SEED, true);
}

/** Rows `[rows,size]` times Q, every row by itself. */
function rotateRows(x: Float64Array, rotation: Rotation, size: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += size) {
    for (let k = 0; k < size; k += 1) {
      const entry = x[row + k] as number;
      if (entry === 0) continue;
      for (let c = 0; c < size; c += 1) {
        out[row + c] = (out[row + c] as number) + entry * (rotation[k * size + c] as number);
      }
    }
  }
  return out;
}

function transposed(x: Float64Array, rows: number): Float64Array {
  const columns = x.length / rows;
  const out = new Float64Array(x.length);
  for (let r = 0; r < rows; r += 1)
    for (let c = 0; c < columns; c += 1) out[c * rows + r] = x[r * columns + c] as number;
  return out;
}

const doubles = (tensor: FloatTensor): Float64Array => Float64Array.from(tensor.data);
const tensorOf = (shape: readonly number[], data: Float64Array): FloatTensor => ({
  shape,
  data: Float32Array.from(data),
});

/** A layer that writes to the stream: W' = Qᵀ·W, b' = Qᵀ·b (Q is symmetric). */
export function rotateOutput({ weight, bias }: FloatLinear, rotation: Rotation): FloatLinear {
  const size = bias.data.length;
  const byColumn = transposed(doubles(weight), size);
  return {
    weight: tensorOf(weight.shape, transposed(rotateRows(byColumn, rotation, size), byColumn.length / size)),
    bias: tensorOf(bias.shape, rotateRows(doubles(bias), rotation, size)),
  };
}

/**
 * A layer behind a LayerNorm: W' = W·diag(γ)·Q, b' = b + W·β; the norm keeps γ = 1, β = 0.
 *
 * @param width of the rotation; of several streams side by side each is rotated by itself.
 */
export function rotateInput(
  norm: FloatNorm,
  { weight, bias }: FloatLinear,
  rotation: Rotation,
  width: number = norm.weight.data.length,
): FloatLinear {
  const size = norm.weight.data.length;
  const scaled = doubles(weight);
  const shifted = doubles(bias);
  for (let i = 0; i < scaled.length; i += 1) {
    const entry = scaled[i] as number;
    const n = Math.floor(i / size);
    shifted[n] = (shifted[n] as number) + entry * (norm.bias.data[i % size] as number);
    scaled[i] = entry * (norm.weight.data[i % size] as number);
  }
  return {
    weight: tensorOf(weight.shape, rotateRows(scaled, rotation, width)),
    bias: tensorOf(bias.shape, shifted),
  };
}

/** A norm whose γ and β are in the layer behind it. */
export function plainNorm(norm: FloatNorm): FloatNorm {
  const { shape, data } = norm.weight;
  return {
    weight: { shape, data: new Float32Array(data.length).fill(1) },
    bias: { shape, data: new Float32Array(data.length) },
  };
}

export function rotateTable(table: FloatTensor, rotation: Rotation, size: number): FloatTensor {
  return tensorOf(table.shape, rotateRows(doubles(table), rotation, size));
}

/** Rows `first … first+width-1` of a layer's output, scaled, then mixed by R: y' = Rᵀ·diag(1/t)·y. */
function mixRows(weight: Float64Array, bias: Float64Array, first: number, rotation: Rotation, t: Float64Array): void {
  const width = t.length;
  const size = weight.length / bias.length;
  const rows = weight.slice(first * size, (first + width) * size);
  const offsets = bias.slice(first, first + width);
  for (let n = 0; n < width; n += 1) {
    let sum = 0;
    for (let k = 0; k < size; k += 1) weight[(first + n) * size + k] = 0;
    for (let j = 0; j < width; j += 1) {
      const share = (rotation[j * width + n] as number) / (t[j] as number);
      sum += share * (offsets[j] as number);
      for (let k = 0; k < size; k += 1) {
        const at = (first + n) * size + k;
        weight[at] = (weight[at] as number) + share * (rows[j * size + k] as number);
      }
    }
    bias[first + n] = sum;
  }
}

/** Root mean square of outputs whose inputs are normalized: √(Σ w² + b²). */
function outputSizes(weight: Float64Array, bias: Float64Array, first: number, width: number): Float64Array {
  const size = weight.length / bias.length;
  return Float64Array.from({ length: width }, (_, n) => {
    let sum = (bias[first + n] as number) * (bias[first + n] as number);
    for (let k = (first + n) * size; k < (first + n + 1) * size; k += 1)
      sum += (weight[k] as number) * (weight[k] as number);
    return Math.sqrt(sum);
  });
}

/** A block on a rotated stream. */
export function rotateBlockStream<Block extends VitBlockWeights>(block: Block, rotation: Rotation): Block {
  return {
    ...block,
    norm1: plainNorm(block.norm1),
    qkv: rotateInput(block.norm1, block.qkv, rotation),
    proj: rotateOutput(block.proj, rotation),
    norm2: plainNorm(block.norm2),
    fc1: rotateInput(block.norm2, block.fc1, rotation),
    fc2: rotateOutput(block.fc2, rotation),
  };
}

/** A block with q and k, or v, rotated within each head, as is chosen. */
export function rotateHeads<Block extends VitBlockWeights>(block: Block, heads: number, choice: RotationChoice): Block {
  if (!choice.values && !choice.keys) return block;
  const dim = block.proj.bias.data.length;
  const width = dim / heads;
  const rotation = createRotation(width, SEED, false);
  const weight = doubles(block.qkv.weight);
  const bias = doubles(block.qkv.bias);
  const ones = new Float64Array(width).fill(1);
  let proj = block.proj;
  if (choice.keys) {
    for (let head = 0; head < heads; head += 1) {
      const query = outputSizes(weight, bias, head * width, width);
      const key = outputSizes(weight, bias, dim + head * width, width);
      const floor = 1e-6;
      const t = query.map((q, c) => Math.sqrt(Math.max(q, floor) / Math.max(key[c] as number, floor)));
      mixRows(weight, bias, head * width, rotation, t);
      mixRows(
        weight,
        bias,
        dim + head * width,
        rotation,
        t.map((entry) => 1 / entry),
      );
    }
  }
  if (choice.values) {
    for (let head = 0; head < heads; head += 1) mixRows(weight, bias, 2 * dim + head * width, rotation, ones);
    proj = { ...proj, weight: tensorOf(proj.weight.shape, rotateRows(doubles(proj.weight), rotation, width)) };
  }
  return {
    ...block,
    qkv: { weight: tensorOf(block.qkv.weight.shape, weight), bias: tensorOf(block.qkv.bias.shape, bias) },
    proj,
  };
}
