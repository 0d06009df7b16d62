import { describe, expect, it } from 'vitest';
import type { Pixels } from '../pixels.js';
import { centerCrop, centerPlacement } from './crop.js';
import { preprocess } from './preprocess.js';
import { type Interpolation, resize, resizeShorterSide } from './resize.js';

function gradient(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = (i * 37 + (i >> 5) * 11) & 255;
  return { width, height, data };
}

/** One pixel per place, numbered from 0. */
function numbered(width: number, height: number): Pixels {
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i - (i % 3)) / 3) };
}

function numbers({ data }: Pixels): number[] {
  return [...data].filter((_, i) => i % 3 === 0);
}

describe('resizeShorterSide', () => {
  // int(size * long / short) of Python.
  it.each([
    [500, 375, 256, 341, 256],
    [375, 500, 256, 256, 341],
    [333, 500, 248, 248, 372],
    [100, 100, 7, 7, 7],
    [3, 1, 5, 15, 5],
    [256, 300, 256, 256, 300],
  ])('%ix%i to %i gives %ix%i', (width, height, size, newWidth, newHeight) => {
    const image = resizeShorterSide(gradient(width, height), size, 'bilinear');
    expect([image.width, image.height, image.data.length]).toEqual([newWidth, newHeight, newWidth * newHeight * 3]);
  });
});

describe('centerCrop', () => {
  it('takes the middle', () => {
    expect(numbers(centerCrop(numbered(4, 4), 2, 2))).toEqual([5, 6, 9, 10]);
  });

  // round() of Python: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, 3.5 -> 4.
  it.each([
    [3, 2, 0],
    [5, 2, 2],
    [7, 2, 2],
    [9, 2, 4],
    [341, 224, 58],
    [343, 224, 60],
  ])('from %i to %i begins at %i', (size, crop, from) => {
    expect(centerPlacement(size, crop)).toEqual({ from, to: 0, length: crop });
  });

  it('pads a smaller image with zeros, more of them at the end', () => {
    expect(numbers(centerCrop(numbered(2, 1), 5, 2))).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(numbers(centerCrop(numbered(4, 1), 2, 2))).toEqual([1, 2, 0, 0]);
  });
});

describe('preprocess', () => {
  const cases: [number, number, number, Interpolation, number, number][] = [
    [50, 37, 32, 'bicubic', 28, 28],
    [37, 50, 32, 'bilinear', 28, 28],
    [20, 90, 16, 'bicubic', 16, 15],
    [90, 20, 16, 'bicubic', 16, 15],
    [12, 17, 40, 'bilinear', 30, 35],
    [32, 40, 32, 'bicubic', 32, 32],
    [32, 32, 32, 'bicubic', 20, 20],
    [9, 9, 5, 'bicubic', 8, 12],
    [1, 30, 3, 'bilinear', 3, 3],
  ];
  it.each(cases)(
    '%ix%i to %i %s, %ix%i: the same as resizing, then cropping',
    (width, height, size, filter, cropWidth, cropHeight) => {
      const image = gradient(width, height);
      const crop = { width: cropWidth, height: cropHeight };
      for (const pillow of [12, 13] as const) {
        const whole = centerCrop(resizeShorterSide(image, size, filter, pillow), cropWidth, cropHeight);
        expect(preprocess(image, { resize: size, interpolation: filter, crop, pillow })).toEqual(whole.data);
      }
      const whole = centerCrop(resizeShorterSide(image, size, filter), cropWidth, cropHeight);
      expect(preprocess(image, { resize: size, interpolation: filter, crop })).toEqual(whole.data);
    },
  );

  it('does not compute what the crop leaves out', () => {
    // The resized image would have 1.2 * 10^11 pixels.
    const crop = { width: 4, height: 4 };
    const bytes = preprocess(gradient(1, 100_000), { resize: 1100, interpolation: 'bilinear', crop });
    expect(bytes.length).toBe(48);
  });
});

describe('arguments', () => {
  const image = gradient(4, 3);
  it.each<[string, () => unknown]>([
    ['no width', () => resize(image, 0, 3, 'bicubic')],
    ['half a pixel', () => resize(image, 3, 1.5, 'bicubic')],
    ['too few bytes', () => resize({ ...image, data: image.data.subarray(1) }, 3, 3, 'bicubic')],
    ['negative size', () => resizeShorterSide(image, -1, 'bicubic')],
    // @ts-expect-error: no such filter
    ['unknown filter', () => resize(image, 3, 3, 'nearest')],
    // @ts-expect-error: no such version
    ['unknown version', () => resize(image, 3, 3, 'bicubic', 11)],
    ['crop of nothing', () => centerCrop(image, 0, 1)],
    [
      'not a number',
      () => preprocess(image, { resize: Number.NaN, interpolation: 'bicubic', crop: { width: 1, height: 1 } }),
    ],
    [
      'endless side',
      () => preprocess(gradient(1, 9), { resize: 2 ** 30, interpolation: 'bicubic', crop: { width: 1, height: 1 } }),
    ],
  ])('refuses %s', (_, act) => {
    expect(act).toThrow(expect.objectContaining({ name: 'ImageError', code: 'E_IMAGE_ARGUMENT' }));
  });
});
