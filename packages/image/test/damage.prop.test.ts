import { decodeImage, ImageError } from '@ivit/image';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixture } from './fixtures.js';

const FILES = [
  'baseline-420-65x47.jpg',
  'progressive-420-33x17.jpg',
  'restart-progressive.jpg',
  'one-scan-each-mixed.jpg',
  'cmyk-progressive.jpg',
  'orientation-6.jpg',
  'rgb-8.png',
  'palette-2-interlaced.png',
  'grey-alpha-16-interlaced.png',
  'many-pieces.png',
];

/** An image of the promised size, or a coded error; nothing else. */
async function decodesOrRefuses(bytes: Uint8Array): Promise<void> {
  try {
    const image = await decodeImage(bytes, { maxPixels: 100_000 });
    expect(image.data.length).toBe(image.width * image.height * 3);
  } catch (error) {
    if (!ImageError.isInstance(error)) throw error;
    expect(error.code).toMatch(/^E_(IMAGE|JPEG|PNG)_[A-Z0-9_]+$/);
  }
}

describe.each(FILES)('damaged %s', (name) => {
  const file = fixture(name);

  it('cut anywhere is refused', async () => {
    for (let length = 0; length < file.length; length += 1 + (file.length >> 8)) {
      await expect(decodeImage(file.subarray(0, length))).rejects.toSatisfy(ImageError.isInstance);
    }
  });

  it('with changed bytes never crashes or hangs', async () => {
    const change = fc.record({ at: fc.nat({ max: file.length - 1 }), value: fc.nat({ max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const damaged = file.slice();
        for (const { at, value } of changes) damaged[at] = value;
        await decodesOrRefuses(damaged);
      }),
      { numRuns: 300 },
    );
  });

  it('with parts left out, doubled or inserted never crashes or hangs', async () => {
    const place = fc.nat({ max: file.length });
    await fc.assert(
      fc.asyncProperty(place, place, fc.uint8Array({ maxLength: 8 }), async (from, to, between) => {
        const parts = [file.subarray(0, from), between, file.subarray(to)];
        await decodesOrRefuses(new Uint8Array(Buffer.concat(parts)));
      }),
      { numRuns: 200 },
    );
  });
});

describe('noise', () => {
  it.each([
    ['PNG', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
    ['JPEG', [0xff, 0xd8, 0xff]],
  ])('after the first bytes of a %s never crashes or hangs', async (_, start) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (noise) => {
        await decodesOrRefuses(Uint8Array.of(...start, ...noise));
      }),
      { numRuns: 500 },
    );
  });
});
