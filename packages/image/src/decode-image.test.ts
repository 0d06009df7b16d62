import { describe, expect, it } from 'vitest';
import { fixture } from '../test/fixtures.js';
import { decodeImage, imageFormat } from './decode-image.js';
import { ImageError } from './error.js';
import { decodeJpeg } from './jpeg/index.js';
import { decodePng } from './png/index.js';
import { finishInTurns, type Steps } from './steps.js';

describe('decodeImage', () => {
  it('tells the formats apart by their first bytes', () => {
    expect(imageFormat(fixture('rgb-8.png'))).toBe('png');
    expect(imageFormat(fixture('grey.jpg'))).toBe('jpeg');
    expect(imageFormat(new TextEncoder().encode('GIF89a'))).toBeUndefined();
    expect(imageFormat(new Uint8Array(0))).toBeUndefined();
  });

  it('gives what the decoders give, with a signal as without', async () => {
    const { signal } = new AbortController();
    for (const [name, decode] of [
      ['rgb-8.png', decodePng],
      ['progressive-420-65x47.jpg', decodeJpeg],
    ] as const) {
      const expected = decode(fixture(name));
      expect(await decodeImage(fixture(name))).toEqual(expected);
      expect(await decodeImage(fixture(name), { signal })).toEqual(expected);
    }
  });

  it('refuses other formats', async () => {
    const gif = new TextEncoder().encode('GIF89a, of all things');
    await expect(decodeImage(gif, { where: 'cat.gif' })).rejects.toMatchObject({
      code: 'E_IMAGE_FORMAT',
      message: 'The file is neither PNG nor JPEG (cat.gif). Convert it to one of them.',
    });
    await expect(decodeImage(new Uint8Array(0))).rejects.toMatchObject({ code: 'E_IMAGE_FORMAT' });
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses maxPixels %d', async (maxPixels) => {
    await expect(decodeImage(fixture('rgb-8.png'), { maxPixels })).rejects.toMatchObject({ code: 'E_IMAGE_ARGUMENT' });
  });

  it('refuses what are no bytes', async () => {
    // @ts-expect-error: text instead of bytes
    await expect(decodeImage('cat.jpg')).rejects.toMatchObject({ code: 'E_IMAGE_ARGUMENT' });
  });

  it('keeps to maxPixels', async () => {
    await expect(decodeImage(fixture('rgb-8.png'), { maxPixels: 19 * 13 - 1 })).rejects.toMatchObject({
      code: 'E_IMAGE_TOO_LARGE',
    });
    await expect(decodeImage(fixture('rgb-8.png'), { maxPixels: 19 * 13 })).resolves.toMatchObject({ width: 19 });
  });

  it('does nothing when aborted before', async () => {
    const signal = AbortSignal.abort('enough');
    await expect(decodeImage(fixture('rgb-8.png'), { signal })).rejects.toMatchObject({
      code: 'E_ABORTED',
      cause: 'enough',
    });
  });
});

describe('finishInTurns', () => {
  it('lets an abort in between', async () => {
    const controller = new AbortController();
    let steps = 0;
    function* endless(): Steps<never> {
      for (;;) {
        steps++;
        yield;
      }
    }
    setTimeout(() => controller.abort(), 30);
    const checkAborted = (): void => {
      if (controller.signal.aborted) throw new ImageError('E_ABORTED', 'Decoding was aborted');
    };
    await expect(finishInTurns(endless(), checkAborted)).rejects.toMatchObject({ code: 'E_ABORTED' });
    expect(steps).toBeGreaterThan(1);
  });
});

describe('ImageError', () => {
  it('is known by its brand', () => {
    const error = new ImageError('E_IMAGE_CORRUPT', 'Broken');
    expect(ImageError.isInstance(error)).toBe(true);
    expect(ImageError.isInstance({ [Symbol.for('ivit.error')]: true })).toBe(true);
    expect(ImageError.isInstance(new Error('Broken'))).toBe(false);
    expect(ImageError.isInstance(undefined)).toBe(false);
  });
});
