import { roundHalfEven } from '@ivit/nonlinear/convert';
import type { QuantizedNorm } from './quantized.js';

const TWO_30 = 2 ** 30;

/** Largest |b| of the op `layernorm`: M - 1.02·2^30 (docs/spec/ivit-1.md §8). */
const BIAS_BOUND = 2 ** 31 - 1 - 1.02 * TWO_30;

/** Where a bias is beyond the bound, the channel is rescaled so that it becomes this: 0.9·2^30, i.e. |β/γ| = 0.9·√L. */
const RESCALED_BIAS = 0.9 * TWO_30;

/**
 * A float LayerNorm as I-LayerNorm (I-ViT's float32 arithmetic): unit sf·γ with sf = fl(fl(√L)/2^30), bias floor(fl(fl(β/γ)/sf)).
 * Where |β/γ| > 0.9·√L, γ is replaced by sign(γ)·|β|/(0.9·√L); γ = β = 0 gives unit 0, bias 0: b stays inside its bound.
 */
export function quantizeNorm(weight: Float32Array, bias: Float32Array): QuantizedNorm {
  const length = weight.length;
  const root = Math.fround(Math.sqrt(length));
  const step = Math.fround(root / TWO_30);
  const limit = Math.fround(0.9 * root);
  const integers = new Int32Array(length);
  const scale = new Float32Array(length);
  for (let c = 0; c < length; c += 1) {
    const beta = bias[c] as number;
    const given = weight[c] as number;
    const least = Math.fround(Math.abs(beta) / limit);
    const gamma = Math.abs(given) < least ? (given < 0 ? -least : least) : given;
    scale[c] = step * gamma;
    // The smallest floats can round to a zero or an infinite quotient: such a channel is constant 0.
    const units = gamma === 0 ? 0 : Math.floor(Math.fround(Math.fround(beta / gamma) / step));
    integers[c] = Math.min(Math.max(units, -BIAS_BOUND), BIAS_BOUND);
  }
  return { bias: integers, scale };
}

/**
 * A checkpoint's I-LayerNorm with every bias inside the op's bound: a channel beyond it is rescaled by the rule of
 * {@link quantizeNorm} (its product bias·unit, the β, is kept). Others are unchanged.
 */
export function boundNorm(biases: Float64Array, units: Float32Array): QuantizedNorm {
  const bias = new Int32Array(biases.length);
  const scale = new Float32Array(biases.length);
  for (let c = 0; c < bias.length; c += 1) {
    const given = biases[c] as number;
    const unit = units[c] as number;
    const beyond = Math.abs(given) > BIAS_BOUND;
    bias[c] = beyond ? roundHalfEven(given < 0 ? -RESCALED_BIAS : RESCALED_BIAS) : given;
    scale[c] = beyond ? unit * (Math.abs(given) / RESCALED_BIAS) : unit;
  }
  return { bias, scale };
}
