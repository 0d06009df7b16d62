import type { FloatNorm } from '../vit/types.js';

/**
 * LayerNorm of each row of `x [rows,L]`: f32((x - mean)/√(variance + eps)·weight + bias), in float64, channels
 * ascending, two passes (mean, then biased variance).
 *
 * @param out `[rows,L]`, written and returned.
 */
export function layerNorm(x: Float32Array, norm: FloatNorm, eps: number, out: Float32Array): Float32Array {
  const length = norm.weight.data.length;
  const weight = norm.weight.data;
  const bias = norm.bias.data;
  if (x.length % length !== 0) throw new RangeError(`${x.length} elements are no whole rows of ${length}`);
  if (out.length !== x.length) throw new RangeError(`out has ${out.length} elements instead of ${x.length}`);
  for (let row = 0; row < x.length; row += length) {
    let sum = 0;
    for (let c = 0; c < length; c += 1) sum += x[row + c] as number;
    const mean = sum / length;
    let squares = 0;
    for (let c = 0; c < length; c += 1) {
      const centered = (x[row + c] as number) - mean;
      squares += centered * centered;
    }
    const scale = 1 / Math.sqrt(squares / length + eps);
    for (let c = 0; c < length; c += 1) {
      out[row + c] = ((x[row + c] as number) - mean) * scale * (weight[c] as number) + (bias[c] as number);
    }
  }
  return out;
}
