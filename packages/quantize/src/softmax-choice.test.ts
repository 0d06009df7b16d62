import type { VitConfig } from '@ivit/models';
import { polynomialExpTable } from '@ivit/nonlinear';
import { iExpParameters } from '@ivit/nonlinear/convert';
import { describe, expect, it } from 'vitest';
import { chooseLogits } from './softmax-choice.js';

const config: VitConfig = {
  imageSize: 4,
  patchSize: 1,
  dim: 8,
  depth: 1,
  heads: 1,
  mlpDim: 8,
  layerNormEps: 1e-5,
  classes: 1,
};
const scales = { qkv: new Float64Array(24).fill(0.01), logits: Float64Array.of(1e-4) };

describe('chooseLogits with masked pairs', () => {
  it.each([
    ['i-vit', 49, 5],
    ['i-bert', 49, 5],
    ['i-bert', 49, 300],
    ['i-bert', 4096, 5],
    ['i-bert', 144, 900],
  ] as const)('gives %s of %d keys and logits up to %d a table whose end is 0 in 16 bits', (softmax, keys, largest) => {
    const { table = Int32Array.of(1), fractionBits } = chooseLogits(
      config,
      scales,
      { largest, keys, mask: -100 },
      softmax,
      'logits',
    );
    const [first = 0] = table;
    // The least sum is that of one key alone.
    expect(((table.at(-1) as number) * Math.floor(2147483647 / first)) >> 16).toBe(0);
    expect(keys * first).toBeLessThan(2 ** 31);
    expect((largest + 100) * 2 ** fractionBits).toBeLessThanOrEqual(32767);
    // What ends the table lies less than 100 below the row's maximum.
    expect(table.length - 1).toBeLessThan(100 * 2 ** fractionBits);
  });

  it("leaves i-exp as it is where nothing is masked, and takes the logits' mask into its unit", () => {
    const choose = (mask?: number) =>
      chooseLogits(config, scales, { largest: 450, keys: 49, ...(mask === undefined ? {} : { mask }) }, 'i-bert', '');
    expect(choose().fractionBits).toBe(6);
    expect(choose().table).toEqual(polynomialExpTable(iExpParameters(2 ** -6)));
    expect(choose(-100).fractionBits).toBe(5);
  });
});
