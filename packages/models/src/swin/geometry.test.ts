import { describe, expect, it } from 'vitest';
import { swinStages } from './geometry.js';

const TINY = { imageSize: 224, patchSize: 4, dim: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24], windowSize: 7 };

describe('swinStages', () => {
  it('of Swin-T: grids, channels, and no shift where the window is the grid', () => {
    const stages = swinStages(TINY);
    expect(stages.map(({ side, dim, merges }) => [side, dim, merges])).toEqual([
      [56, 96, true],
      [28, 192, true],
      [14, 384, true],
      [7, 768, false],
    ]);
    expect(stages.map(({ blocks }) => blocks.map(({ window, shift }) => `${window}/${shift}`))).toEqual([
      ['7/0', '7/3'],
      ['7/0', '7/3'],
      ['7/0', '7/3', '7/0', '7/3', '7/0', '7/3'],
      ['7/0', '7/0'],
    ]);
  });

  it('shrinks a window that is larger than the grid', () => {
    const [stage] = swinStages({ ...TINY, imageSize: 16, depths: [2], heads: [3] });
    expect(stage?.blocks[1]).toEqual({ side: 4, dim: 96, heads: 3, window: 4, shift: 0 });
  });

  it.each([
    [{ imageSize: 226 }, '226 is no multiple of 4'],
    [{ imageSize: 240 }, '60 is no multiple of 7'],
    [{ heads: [5, 6, 12, 24] }, '96 is no multiple of 5'],
    [{ heads: [3] }, '4 depths and 1 numbers of heads'],
    [{ imageSize: 28, windowSize: 9 }, '7 is no multiple of 2'],
    [{ imageSize: 8192 }, '2048 tokens a side'],
    [{ windowSize: 65 }, 'windows of 65 tokens'],
  ])('refuses %j', (change, message) => {
    expect(() => swinStages({ ...TINY, ...change })).toThrow(
      expect.objectContaining({ code: 'E_MODEL_SHAPE', message: expect.stringContaining(message) }),
    );
  });
});
