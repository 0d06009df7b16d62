import { geluRampTable } from '@ivit/nonlinear/convert';
import { describe, expect, it } from 'vitest';
import { attentionScales, logitScaling } from './attention.js';
import { randomVit } from './testing/random-vit.js';

const { config } = randomVit(1, { dim: 8, heads: 2 });

describe('attentionScales', () => {
  const maxima = Float64Array.from({ length: 24 }, (_, i) => 1 + ((i * 7) % 11));
  const { qkv, logits } = attentionScales(config, maxima);

  it('gives every channel of a head one product scale', () => {
    for (let c = 0; c < 8; c += 1) {
      const head = c >> 2;
      expect(((qkv[c] as number) * (qkv[8 + c] as number)) / 2).toBeCloseTo(logits[head] as number, 12);
    }
  });

  it('balances q against k and fits every channel into 127 steps', () => {
    for (let c = 0; c < 8; c += 1) {
      const query = (maxima[c] as number) / (qkv[c] as number);
      const key = (maxima[8 + c] as number) / (qkv[8 + c] as number);
      expect(query).toBeLessThanOrEqual(127 + 1e-9);
      expect(key).toBeLessThanOrEqual(127 + 1e-9);
      // Both ends fill the same share of the range, up to one factor per head.
      expect(query / key).toBeCloseTo(
        (maxima[c & 4] as number) /
          (qkv[c & 4] as number) /
          ((maxima[8 + (c & 4)] as number) / (qkv[8 + (c & 4)] as number)),
        9,
      );
      expect(qkv[16 + c]).toBe((maxima[16 + c] as number) / 127);
    }
  });

  it('survives heads without values', () => {
    const dead = attentionScales(config, new Float64Array(24));
    expect([...dead.qkv, ...dead.logits].every((scale) => Number.isFinite(scale) && scale > 0)).toBe(true);
  });
});

describe('logitScaling', () => {
  const scales = attentionScales(config, new Float64Array(24).fill(4));

  it.each([
    [10, 8],
    [88, 8],
    [89, 7],
    [177, 7],
    [178, 6],
    [354, 6],
    [355, 5],
    [100000, 0],
  ])('largest logit %d takes %d fraction bits', (largest, bits) => {
    const { fractionBits, scaling } = logitScaling(config, scales, largest, 'test');
    expect(fractionBits).toBe(bits);
    expect(scaling.m).toHaveLength(2);
    const ratio = (scales.logits[0] as number) * Math.LOG2E * 2 ** bits;
    expect((scaling.m[0] as number) / 2 ** scaling.e).toBeCloseTo(ratio, 6);
  });
});

describe('geluRampTable', () => {
  it('holds rne(2^12·(GELU(x) - x)), even in x, and ends in 0', () => {
    const table = geluRampTable();
    expect(table).toHaveLength(577);
    expect([table[0], table[64], table[128], table[575], table[576]]).toEqual([0, -632, -650, 0, 0]);
    expect(Math.min(...table)).toBe(-696);
  });
});
