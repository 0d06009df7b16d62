import { decodeImage, resize } from '@ivit/image';
import { describe, expect, it } from 'vitest';
import { EXPECTED, fixture, sha256 } from './fixtures.js';

describe('the bytes of Pillow', () => {
  it('has fixtures of both formats', () => {
    expect(EXPECTED.filter(([name]) => name.endsWith('.jpg')).length).toBeGreaterThan(80);
    expect(EXPECTED.filter(([name]) => name.endsWith('.png')).length).toBeGreaterThan(35);
  });

  it.each(EXPECTED)('decodes %s', async (name, expected) => {
    const image = await decodeImage(fixture(name));
    expect([image.width, image.height]).toEqual([expected.width, expected.height]);
    if (expected.data !== undefined) expect(image.data).toEqual(new Uint8Array(Buffer.from(expected.data, 'base64')));
    expect(sha256(image.data)).toBe(expected.sha256);
  });

  const resizings = EXPECTED.flatMap(([name, { resized = [] }]) =>
    resized.map((entry) => ({ name, size: `${entry.width}x${entry.height}`, ...entry })),
  );

  it.each(resizings)(
    'resizes $name to $size, $interpolation',
    async ({ name, width, height, interpolation, sha256: hashes }) => {
      const image = await decodeImage(fixture(name));
      const before = sha256(image.data);
      expect(sha256(resize(image, width, height, interpolation, 12).data)).toBe(hashes['12']);
      expect(sha256(resize(image, width, height, interpolation, 13).data)).toBe(hashes['13']);
      expect(sha256(resize(image, width, height, interpolation).data)).toBe(hashes['13']);
      expect(sha256(image.data)).toBe(before);
    },
  );

  it('has a resizing that tells the two versions apart, and one that does not', () => {
    const differ = resizings.map(({ sha256: hashes }) => hashes['12'] !== hashes['13']);
    expect(differ).toContain(true);
    expect(differ).toContain(false);
  });
});
