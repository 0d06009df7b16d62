import { matmulF32 } from './gemm.js';
import { exp } from './math.js';

/** Softmax of each row of `x [rows,L]`, in float64, keys ascending, rounded to float32 once. */
export function softmaxRows(x: Float32Array, length: number, out: Float32Array): Float32Array {
  const exponentials = new Float64Array(length);
  for (let row = 0; row < x.length; row += length) {
    let max = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < length; j += 1) max = Math.max(max, x[row + j] as number);
    let sum = 0;
    for (let j = 0; j < length; j += 1) {
      const e = exp((x[row + j] as number) - max);
      exponentials[j] = e;
      sum += e;
    }
    const scale = 1 / sum;
    for (let j = 0; j < length; j += 1) out[row + j] = (exponentials[j] as number) * scale;
  }
  return out;
}

/** What attention computes, in buffers of the caller; N tokens, H heads, D = H·d. */
export interface AttentionBuffers {
  /** `[H,N,N]`, scaled: q·k/√d. */
  readonly logits: Float32Array;
  /** `[H,N,N]`, softmax of the logits over the last axis. */
  readonly probabilities: Float32Array;
  /** `[N,D]`, heads side by side: the input of the output projection. */
  readonly attention: Float32Array;
}

/**
 * Multi-head self-attention on `qkv [N,3D]` (q, k, v side by side, heads inside each).
 * The logit is f32(q·k) times 1/√d, rounded to float32.
 *
 * @param bias `[H,N,N]`, added to the logits, rounded to float32 again; absent = 0.
 * @param mask `[N,N]`, 1 where a pair is kept apart: -100 on top, as Swin's code; absent = 0.
 */
export function attend(
  qkv: Float32Array,
  tokens: number,
  heads: number,
  into: AttentionBuffers,
  bias?: Float32Array,
  mask?: Uint8Array,
): void {
  const dim = into.attention.length / tokens;
  const width = dim / heads;
  const scale = 1 / Math.sqrt(width);
  const query = new Float32Array(tokens * width);
  const key = new Float32Array(tokens * width);
  const valueTransposed = new Float32Array(width * tokens);
  const mixed = new Float32Array(tokens * width);
  for (let head = 0; head < heads; head += 1) {
    for (let token = 0; token < tokens; token += 1) {
      const from = token * 3 * dim + head * width;
      for (let c = 0; c < width; c += 1) {
        query[token * width + c] = qkv[from + c] as number;
        key[token * width + c] = qkv[from + dim + c] as number;
        valueTransposed[c * tokens + token] = qkv[from + 2 * dim + c] as number;
      }
    }
    const square = tokens * tokens;
    const logits = into.logits.subarray(head * square, (head + 1) * square);
    matmulF32(query, key, undefined, tokens, tokens, width, logits);
    for (let i = 0; i < square; i += 1) logits[i] = (logits[i] as number) * scale;
    if (bias !== undefined) {
      for (let i = 0; i < square; i += 1) logits[i] = (logits[i] as number) + (bias[head * square + i] as number);
    }
    if (mask !== undefined) {
      for (let i = 0; i < square; i += 1) if (mask[i] === 1) logits[i] = (logits[i] as number) - 100;
    }
    const probabilities = into.probabilities.subarray(head * square, (head + 1) * square);
    softmaxRows(logits, tokens, probabilities);
    matmulF32(probabilities, valueTransposed, undefined, tokens, width, tokens, mixed);
    for (let token = 0; token < tokens; token += 1) {
      into.attention.set(mixed.subarray(token * width, (token + 1) * width), token * dim + head * width);
    }
  }
}
