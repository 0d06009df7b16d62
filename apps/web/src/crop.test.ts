import { expect, it } from 'vitest';
import { seenRegion } from './crop.js';

it('is the center that is left after resizing the shorter side', () => {
  const rule = { resize: 256, interpolation: 'bicubic', crop: { height: 224, width: 224 } } as const;
  expect(seenRegion(512, 1024, rule)).toEqual({ x: 32, y: 288, width: 448, height: 448 });
  expect(seenRegion(300, 200, { ...rule, resize: 224 })).toEqual({ x: 50, y: 0, width: 200, height: 200 });
});

it('is everything where nothing is said of resizing', () => {
  expect(seenRegion(30, 20, undefined)).toEqual({ x: 0, y: 0, width: 30, height: 20 });
});
