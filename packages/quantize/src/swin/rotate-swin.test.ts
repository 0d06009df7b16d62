import { swinForward } from '@ivit/models';
import { describe, expect, it } from 'vitest';
import { randomSwin } from '../testing/random-swin.js';
import { randomPhotos } from '../testing/random-vit.js';
import { rotateSwin } from './rotate-swin.js';

describe('rotateSwin', () => {
  const weights = randomSwin(3, { depths: [1, 2, 1], heads: [1, 2, 2] });
  const pixels = randomPhotos(1, 32, 4)[0]?.pixels ?? new Uint8Array();
  const before = swinForward(weights, pixels);

  it.each([
    { stream: true, values: false, keys: false },
    { stream: false, values: true, keys: false },
    { stream: false, values: false, keys: true },
    { stream: true, values: true, keys: true },
  ])('computes the same function: %o', (choice) => {
    const rotated = rotateSwin(weights, choice);
    for (const [i, logit] of swinForward(rotated, pixels).entries()) expect(logit).toBeCloseTo(before[i] as number, 4);
    const [first, second] = rotated.stages;
    expect(first?.blocks[0]?.fc1 === weights.stages[0]?.blocks[0]?.fc1).toBe(true);
    expect(second?.blocks[0]?.qkv.weight.data).not.toEqual(weights.stages[1]?.blocks[0]?.qkv.weight.data);
    expect(first?.blocks[0]?.qkv === weights.stages[0]?.blocks[0]?.qkv).toBe(!choice.values && !choice.keys);
    // The stream of the first stage starts with scales of a norm, which do not commute.
    expect(rotated.patchNorm).toBe(weights.patchNorm);
    expect(first?.merging === weights.stages[0]?.merging).toBe(!choice.stream);
  });

  it('leaves a Swin of one stage alone but for its heads', () => {
    const one = randomSwin(3, { depths: [1], heads: [2] });
    expect(rotateSwin(one, { stream: true, values: false, keys: false })).toEqual(one);
  });
});
