import type { FloatTensor } from '@ivit/models';
import { describe, expect, it } from 'vitest';
import { spreadOf } from './spread.js';
import { createNormal } from './testing/random-vit.js';

const ROWS = 64;
const WIDTH = 24;
const OUTPUTS = 10;

/** Activations and weights of one size, but for channel 5: `activation` times as large, its weights `share` of theirs. */
function layer(activation: number, share: number): { tensors: Float32Array[]; weight: FloatTensor } {
  const normal = createNormal(3);
  const scaled = (length: number, factor: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => normal() * (i % WIDTH === 5 ? factor : 1));
  const tensors = [scaled(ROWS * WIDTH, activation), scaled(ROWS * WIDTH, activation)];
  return { tensors, weight: { shape: [OUTPUTS, WIDTH], data: scaled(OUTPUTS * WIDTH, share) } };
}

describe('spreadOf', () => {
  it('leaves channels of like size alone', () => {
    const { tensors, weight } = layer(1, 1);
    expect(spreadOf(tensors, weight)).toBeUndefined();
  });

  it('moves a channel that dwarfs the others into weights that have room', () => {
    const { tensors, weight } = layer(100, 0.01);
    const t = spreadOf(tensors, weight) ?? new Float64Array();
    expect(t).toHaveLength(WIDTH);
    expect(t[5]).toBeGreaterThan(30);
    expect(t[5]).toBeLessThan(250);
    for (const [c, entry] of t.entries()) if (c !== 5) expect(entry, `channel ${c}`).toBeLessThan(4);
  });

  it("never lets a row's largest weight grow", () => {
    const { tensors, weight } = layer(1000, 0.01);
    const t = spreadOf(tensors, weight) ?? new Float64Array();
    const rowMaxima = (factors: ArrayLike<number>): number[] =>
      Array.from({ length: OUTPUTS }, (_, n) => {
        const row = weight.data.subarray(n * WIDTH, (n + 1) * WIDTH);
        return row.reduce((most, w, c) => Math.max(most, Math.abs(w * (factors[c] as number))), 0);
      });
    const before = rowMaxima(new Float64Array(WIDTH).fill(1));
    for (const [n, largest] of rowMaxima(t).entries())
      expect(largest).toBeLessThanOrEqual((before[n] as number) * (1 + 1e-12));
  });

  it('leaves a channel whose weights have no room', () => {
    const { tensors, weight } = layer(100, 3);
    expect(spreadOf(tensors, weight)).toBeUndefined();
  });

  it('leaves activations that are all 0 or not finite', () => {
    const { weight } = layer(1, 1);
    expect(spreadOf([new Float32Array(WIDTH)], weight)).toBeUndefined();
    expect(spreadOf([new Float32Array(WIDTH).fill(Number.POSITIVE_INFINITY)], weight)).toBeUndefined();
  });
});
