import { boundNorm } from './norm.js';
import { biasOf, hasTensor, integersOf, numbersOf, type PaperTensors, scaleOf } from './numbers.js';
import type { QuantizedLinear, QuantizedNorm } from './quantized.js';

/** `weight_integer`, `bias_integer` (zeros where the layer has no bias at all) and the scales of the weights. */
export function readLinear(
  source: PaperTensors,
  name: string,
  n: number,
  k: number,
  kind: 'fc' | 'conv',
): QuantizedLinear {
  const weight = Int8Array.from(integersOf(source, `${name}.weight_integer`, n * k, -128, 127));
  // A float bias beside no integer one is a damaged checkpoint, not a layer without bias.
  const hasBias = hasTensor(source, `${name}.bias_integer`) || hasTensor(source, `${name}.bias`);
  return {
    weight,
    bias: hasBias ? biasOf(source, `${name}.bias_integer`, n) : new Int32Array(n),
    scale: Float32Array.from(numbersOf(source, `${name}.${kind}_scaling_factor`, n)),
  };
}

/** An I-LayerNorm, its bias inside the op's bound. */
export function readNorm(source: PaperTensors, name: string, dim: number): QuantizedNorm {
  const bias = integersOf(source, `${name}.bias_integer`, dim, -(2 ** 53), 2 ** 53);
  return boundNorm(bias, Float32Array.from(numbersOf(source, `${name}.norm_scaling_factor`, dim)));
}

/** Scale of an activation: one unit's real value. */
export function activation(source: PaperTensors, name: string): number {
  return scaleOf(source, `${name}.act_scaling_factor`);
}
