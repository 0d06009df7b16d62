import { describe, expect, it } from 'vitest';
import { floatsOf, readTensors } from '../../../test/vectors.js';
import { boundNorm, quantizeNorm } from './norm.js';

/** M - 1.02·2^30: what the op `layernorm` takes. */
const BOUND = 2 ** 31 - 1 - 1.02 * 2 ** 30;

describe('quantizeNorm', () => {
  it('gives the golden checkpoint its own integers and units', () => {
    const state = readTensors('tiny_vit/state_dict.safetensors');
    for (const name of ['blocks.0.norm1', 'blocks.0.norm2', 'blocks.1.norm1', 'blocks.1.norm2', 'norm']) {
      const norm = quantizeNorm(floatsOf(state, `${name}.weight`), floatsOf(state, `${name}.bias`));
      expect(norm.bias).toEqual(Int32Array.from(floatsOf(state, `${name}.bias_integer`)));
      expect(norm.scale).toEqual(floatsOf(state, `${name}.norm_scaling_factor`));
    }
  });

  it('keeps bias·unit = β where it replaces γ, with the sign of γ', () => {
    const weight = Float32Array.of(1, 0.01, -0.01, 0, 0, 2);
    const bias = Float32Array.of(0.5, 2, 2, -3, 0, -1);
    const { bias: integers, scale } = quantizeNorm(weight, bias);
    for (let c = 0; c < 6; c += 1) {
      expect(Math.abs(integers[c] as number)).toBeLessThanOrEqual(BOUND);
      expect((integers[c] as number) * (scale[c] as number)).toBeCloseTo(bias[c] as number, 5);
    }
    const limit = 0.9 * Math.sqrt(6);
    const step = Math.sqrt(6) / 2 ** 30;
    expect((scale[1] as number) / step).toBeCloseTo(2 / limit, 5);
    expect((scale[2] as number) / step).toBeCloseTo(-2 / limit, 5);
    expect((scale[3] as number) / step).toBeCloseTo(3 / limit, 5);
    expect([integers[4], scale[4]]).toEqual([0, 0]);
    expect((scale[5] as number) / step).toBeCloseTo(2, 5);
  });
});

describe('boundNorm', () => {
  it('changes only channels beyond the bound, and keeps their bias·unit', () => {
    const biases = Float64Array.of(5, -BOUND + 1, 2 ** 31, -(2 ** 40));
    const units = Float32Array.of(1e-9, 2e-9, -3e-9, 4e-9);
    const { bias, scale } = boundNorm(biases, units);
    expect(bias[0]).toBe(5);
    expect(bias[1]).toBe(Math.trunc(-BOUND + 1));
    expect(scale[1]).toBe(units[1]);
    for (const c of [2, 3]) {
      expect(Math.abs(bias[c] as number)).toBeLessThan(BOUND);
      const wanted = (biases[c] as number) * (units[c] as number);
      expect(Math.abs((bias[c] as number) * (scale[c] as number) - wanted)).toBeLessThan(Math.abs(wanted) * 1e-6);
    }
  });
});
