import type { VitWeights } from '@ivit/models';
import { describe, expect, it } from 'vitest';
import { choosePlants, PLANT_FACTOR, plantVit } from './plant.js';

const DIM = 4;
const HIDDEN = 6;

function weightsOf(depth: number): VitWeights {
  const ones = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1) });
  const linear = (n: number, k: number) => ({ weight: ones(n, k), bias: ones(n) });
  const norm = { weight: ones(DIM), bias: ones(DIM) };
  return {
    config: {
      ...{ imageSize: 8, patchSize: 4, dim: DIM, depth, heads: 1, mlpDim: HIDDEN },
      ...{ layerNormEps: 1e-6, classes: 2 },
    },
    preprocess: { resize: 8, interpolation: 'bicubic', mean: [0, 0, 0], std: [1, 1, 1] },
    labels: ['a', 'b'],
    patchEmbed: linear(DIM, 48),
    classToken: ones(DIM),
    positionEmbedding: ones(5, DIM),
    blocks: Array.from({ length: depth }, () => ({
      norm1: norm,
      qkv: linear(3 * DIM, DIM),
      proj: linear(DIM, DIM),
      norm2: norm,
      fc1: linear(HIDDEN, DIM),
      fc2: linear(DIM, HIDDEN),
    })),
    norm,
    head: linear(2, DIM),
    sources: [{ name: 'weights', sha256: '0'.repeat(64) }],
  };
}

describe('choosePlants', () => {
  it('draws blocks without repetition, the same for the same seed', () => {
    const weights = weightsOf(5);
    const plants = choosePlants(weights, 1, 4);
    expect(new Set(plants.map(({ block }) => block)).size).toBe(4);
    for (const { block, channel } of plants) {
      expect(block).toBeLessThan(5);
      expect(channel).toBeLessThan(HIDDEN);
    }
    expect(choosePlants(weights, 1, 4)).toEqual(plants);
    expect(choosePlants(weights, 2, 4)).not.toEqual(plants);
  });

  it('refuses more plants than blocks', () => {
    expect(() => choosePlants(weightsOf(2), 1, 3)).toThrow(expect.objectContaining({ code: 'E_PLANT' }));
  });
});

describe('plantVit', () => {
  it('scales one row of fc1 with its bias, and one column of fc2, of the planted block alone', () => {
    const weights = weightsOf(2);
    const { blocks, sources } = plantVit(weights, [{ block: 1, channel: 2 }]);
    expect(blocks[0]).toBe(weights.blocks[0]);
    const { fc1, fc2 } = blocks[1] ?? { fc1: undefined, fc2: undefined };
    const inside = (length: number, width: number, own: (at: number) => boolean, value: number): number[] =>
      Array.from({ length: length * width }, (_, at) => (own(at) ? Math.fround(value) : 1));
    expect([...(fc1?.weight.data ?? [])]).toEqual(
      inside(HIDDEN, DIM, (at) => Math.floor(at / DIM) === 2, PLANT_FACTOR),
    );
    expect([...(fc1?.bias.data ?? [])]).toEqual(inside(HIDDEN, 1, (at) => at === 2, PLANT_FACTOR));
    expect([...(fc2?.weight.data ?? [])]).toEqual(inside(DIM, HIDDEN, (at) => at % HIDDEN === 2, 1 / PLANT_FACTOR));
    expect(weights.blocks[1]?.fc1.weight.data.every((entry) => entry === 1)).toBe(true);
    expect(sources).toHaveLength(2);
    expect(sources[1]?.sha256).not.toBe(plantVit(weights, [{ block: 1, channel: 3 }]).sources[1]?.sha256);
  });
});
