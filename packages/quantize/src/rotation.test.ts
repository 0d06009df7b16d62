import { vitForward } from '@ivit/models';
import { describe, expect, it } from 'vitest';
import { rotateVit } from './rotate-vit.js';
import { createRotation } from './rotation.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';

describe('createRotation', () => {
  it.each([
    [2, true],
    [5, false],
    [12, true],
    [48, true],
    [64, false],
  ])('of size %d (mean kept: %s) is orthogonal and its own inverse', (size, keepMean) => {
    const q = createRotation(size, 1, keepMean);
    for (let i = 0; i < size; i += 1) {
      let sum = 0;
      for (let j = 0; j < size; j += 1) {
        let product = 0;
        for (let k = 0; k < size; k += 1) product += (q[i * size + k] as number) * (q[j * size + k] as number);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 12);
        expect(q[i * size + j]).toBeCloseTo(q[j * size + i] as number, 14);
        sum += q[i * size + j] as number;
      }
      if (keepMean) expect(sum).toBeCloseTo(1, 12);
    }
  });

  it('spreads every coordinate over all', () => {
    const size = 192;
    const q = createRotation(size, 1, true);
    expect(q.reduce((a, b) => Math.max(a, Math.abs(b)), 0)).toBeLessThan(0.5);
  });
});

describe('rotateVit', () => {
  const weights = randomVit(3);
  const [photo] = randomPhotos(1, 16, 4);
  const pixels = photo?.pixels ?? new Uint8Array();

  it.each([
    { stream: true, values: false, keys: false },
    { stream: false, values: true, keys: false },
    { stream: false, values: false, keys: true },
    { stream: true, values: true, keys: true },
  ])('computes the same function: %o', (choice) => {
    const rotated = rotateVit(weights, choice);
    const before = vitForward(weights, pixels);
    const after = vitForward(rotated, pixels);
    for (const [i, logit] of before.entries()) expect(after[i]).toBeCloseTo(logit, 4);
    expect(rotated.blocks[0]?.qkv.weight.data).not.toEqual(weights.blocks[0]?.qkv.weight.data);
  });
});
