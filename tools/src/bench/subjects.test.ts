import { describe, expect, it } from 'vitest';
import { anyPixels, toPlanes } from './subjects.js';

describe('toPlanes', () => {
  it('normalizes and puts colors into planes, image after image', () => {
    const area = 224 * 224;
    const pixels = anyPixels(2);
    const planes = toPlanes(pixels, 2);
    expect(planes).toHaveLength(2 * 3 * area);
    const at = (image: number, color: number, pixel: number): number => planes[(image * 3 + color) * area + pixel] ?? 0;
    const byte = (image: number, color: number, pixel: number): number =>
      pixels[(image * area + pixel) * 3 + color] ?? 0;
    expect(at(0, 0, 0)).toBeCloseTo((byte(0, 0, 0) / 255 - 0.485) / 0.229, 5);
    expect(at(0, 2, 777)).toBeCloseTo((byte(0, 2, 777) / 255 - 0.406) / 0.225, 5);
    expect(at(1, 1, area - 1)).toBeCloseTo((byte(1, 1, area - 1) / 255 - 0.456) / 0.224, 5);
  });
});
