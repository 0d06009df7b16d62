import { describe, expect, it } from 'vitest';
import { fixture } from '../../test/fixtures.js';
import { decodeJpeg } from './index.js';

const PLAIN = fixture('baseline-444-33x17.jpg');
const PROGRESSIVE = fixture('progressive-420-33x17.jpg');
const RESTARTS = fixture('restart.jpg');

/** Where the first segment with one of these markers begins. */
function find(file: Uint8Array, ...markers: number[]): number {
  for (let at = 2; at < file.length; ) {
    if (markers.includes(file[at + 1] as number)) return at;
    at += 2 + ((file[at + 2] as number) << 8) + (file[at + 3] as number);
  }
  throw new Error('no such segment');
}

/** A copy with bytes written at an offset from the first segment with one of these markers. */
function changed(file: Uint8Array, markers: number[], offset: number, ...bytes: number[]): Uint8Array {
  const copy = file.slice();
  copy.set(bytes, find(file, ...markers) + offset);
  return copy;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Without the first segment with this marker. */
function without(file: Uint8Array, marker: number): Uint8Array {
  const at = find(file, marker);
  const length = 2 + ((file[at + 2] as number) << 8) + (file[at + 3] as number);
  return joined(file.subarray(0, at), file.subarray(at + length));
}

const SOF = [0xc0, 0xc1, 0xc2];
const EOI = Uint8Array.of(0xff, 0xd9);
const scanOf = (file: Uint8Array): number => find(file, 0xda);

/** Ends at a byte, with an end-of-image marker. */
const endedAt = (file: Uint8Array, at: number): Uint8Array => joined(file.subarray(0, at), EOI);

/** The start of the second scan of a progressive file. */
function secondScan(file: Uint8Array): number {
  for (let at = scanOf(file) + 2; at < file.length; at++) {
    if (file[at] === 0xff && (file[at + 1] === 0xda || file[at + 1] === 0xc4)) return at;
  }
  throw new Error('one scan only');
}

describe('decodeJpeg', () => {
  it('does not touch the file, and decodes a view into a larger buffer', () => {
    const larger = new Uint8Array(PLAIN.length + 20).fill(7);
    larger.set(PLAIN, 9);
    const before = larger.slice();
    expect(decodeJpeg(larger.subarray(9, 9 + PLAIN.length))).toEqual(decodeJpeg(PLAIN));
    expect(larger).toEqual(before);
  });

  it.each<[string, string, Uint8Array]>([
    ['E_IMAGE_CORRUPT', 'another format', fixture('rgb-8.png')],
    ['E_IMAGE_CORRUPT', 'nothing', Uint8Array.of(0xff, 0xd8)],
    ['E_IMAGE_CORRUPT', 'no scan', endedAt(PLAIN, scanOf(PLAIN))],
    ['E_IMAGE_CORRUPT', 'no frame', without(PLAIN, 0xc0)],
    ['E_IMAGE_CORRUPT', 'two frames', joined(PLAIN.subarray(0, find(PLAIN, 0xc4)), PLAIN.subarray(find(PLAIN, 0xc0)))],
    ['E_IMAGE_CORRUPT', 'no end of image', PLAIN.subarray(0, PLAIN.length - 2)],
    ['E_IMAGE_CORRUPT', 'half an end of image', PLAIN.subarray(0, PLAIN.length - 1)],
    ['E_IMAGE_CORRUPT', 'data cut off', PLAIN.subarray(0, PLAIN.length - 40)],
    ['E_IMAGE_CORRUPT', 'data cut off, but ended', endedAt(PLAIN, PLAIN.length - 40)],
    ['E_IMAGE_CORRUPT', 'progressive data cut off, but ended', endedAt(PROGRESSIVE, secondScan(PROGRESSIVE) - 20)],
    ['E_IMAGE_CORRUPT', 'one scan of a progressive file', endedAt(PROGRESSIVE, secondScan(PROGRESSIVE))],
    ['E_IMAGE_CORRUPT', 'no Huffman tables', without(without(without(without(PLAIN, 0xc4), 0xc4), 0xc4), 0xc4)],
    ['E_IMAGE_CORRUPT', 'no quantization tables', without(without(PLAIN, 0xdb), 0xdb)],
    ['E_IMAGE_CORRUPT', 'a Huffman table that overflows', changed(PLAIN, [0xc4], 5, 3)],
    ['E_IMAGE_CORRUPT', 'a Huffman table number 9', changed(PLAIN, [0xc4], 4, 9)],
    ['E_IMAGE_CORRUPT', 'a quantization table number 9', changed(PLAIN, [0xdb], 4, 9)],
    ['E_IMAGE_CORRUPT', 'a segment past the end', changed(PLAIN, [0xdb], 2, 255, 255)],
    ['E_IMAGE_CORRUPT', 'a segment of length 1', changed(PLAIN, [0xdb], 2, 0, 1)],
    ['E_IMAGE_CORRUPT', 'no width', changed(PLAIN, SOF, 7, 0, 0)],
    ['E_IMAGE_CORRUPT', 'sampling factor 0', changed(PLAIN, SOF, 11, 0x01)],
    ['E_IMAGE_CORRUPT', 'sampling factor 5', changed(PLAIN, SOF, 11, 0x51)],
    [
      'E_IMAGE_CORRUPT',
      'too many blocks',
      changed(changed(changed(PLAIN, SOF, 11, 0x22), SOF, 14, 0x22), SOF, 17, 0x22),
    ],
    ['E_IMAGE_CORRUPT', 'a component twice', changed(PLAIN, SOF, 13, 1)],
    ['E_IMAGE_CORRUPT', 'an unknown component in a scan', changed(PLAIN, [0xda], 5, 9)],
    ['E_IMAGE_CORRUPT', 'a component twice in a scan', changed(PLAIN, [0xda], 7, 1)],
    ['E_IMAGE_CORRUPT', 'a restart marker out of order', replaceMarker(RESTARTS, 0xd1, 0xd3)],
    ['E_IMAGE_CORRUPT', 'no restart markers', changed(RESTARTS, [0xdd], 4, 0, 1)],
    ['E_IMAGE_CORRUPT', 'an impossible progressive scan', changed(PROGRESSIVE, [0xda], 11, 5)],
    [
      'E_IMAGE_CORRUPT',
      'a progressive scan twice',
      joined(PROGRESSIVE.subarray(0, secondScan(PROGRESSIVE)), PROGRESSIVE.subarray(scanOf(PROGRESSIVE))),
    ],
    [
      'E_IMAGE_CORRUPT',
      'a baseline scan twice',
      joined(PLAIN.subarray(0, PLAIN.length - 2), PLAIN.subarray(scanOf(PLAIN))),
    ],
    ['E_JPEG_PRECISION', '12 bits', changed(PLAIN, SOF, 4, 12)],
    ['E_JPEG_LOSSLESS', 'lossless coding', changed(PLAIN, SOF, 1, 0xc3)],
    ['E_JPEG_ARITHMETIC', 'arithmetic coding', changed(PLAIN, SOF, 1, 0xc9)],
    ['E_JPEG_ARITHMETIC', 'progressive arithmetic coding', changed(PLAIN, SOF, 1, 0xca)],
    ['E_JPEG_ARITHMETIC', 'arithmetic conditioning', changed(PLAIN, [0xc4], 1, 0xcc)],
    ['E_JPEG_UNSUPPORTED', 'hierarchical coding', changed(PLAIN, SOF, 1, 0xc5)],
    ['E_JPEG_UNSUPPORTED', 'height to come later', changed(PLAIN, SOF, 5, 0, 0)],
    ['E_JPEG_UNSUPPORTED', 'two components', changed(changed(PLAIN, SOF, 2, 0, 14), SOF, 9, 2)],
    ['E_JPEG_UNSUPPORTED', 'ratio 3:2', changed(changed(PLAIN, SOF, 11, 0x31), SOF, 14, 0x21)],
    ['E_IMAGE_TOO_LARGE', '50 megapixels', changed(PLAIN, SOF, 5, 5000 >> 8, 5000 & 255, 10_000 >> 8, 10_000 & 255)],
  ])('%s: %s', (code, _, file) => {
    expect(() => decodeJpeg(file, { where: 'here.jpg' })).toThrow(
      expect.objectContaining({ name: 'ImageError', code, where: 'here.jpg' }),
    );
  });

  it('refuses a file that cannot hold its image before allocating for it', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (const file of [PLAIN, PROGRESSIVE]) {
      const large = changed(file, SOF, 5, 7000 >> 8, 7000 & 255, 7000 >> 8, 7000 & 255);
      expect(() => decodeJpeg(large)).toThrow(expect.objectContaining({ code: 'E_IMAGE_CORRUPT' }));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  it('keeps to maxPixels', () => {
    expect(decodeJpeg(PLAIN, { maxPixels: 33 * 17 }).width).toBe(33);
    expect(() => decodeJpeg(PLAIN, { maxPixels: 33 * 17 - 1 })).toThrow(
      expect.objectContaining({ code: 'E_IMAGE_TOO_LARGE' }),
    );
  });

  it('passes over bytes between segments', () => {
    const at = find(PLAIN, 0xdb);
    const file = joined(PLAIN.subarray(0, at), Uint8Array.of(1, 2, 0xff, 0, 3), PLAIN.subarray(at));
    expect(decodeJpeg(file)).toEqual(decodeJpeg(PLAIN));
  });
});

/** A copy in which the first such marker after the start of the data is another. */
function replaceMarker(file: Uint8Array, from: number, to: number): Uint8Array {
  const copy = file.slice();
  for (let at = scanOf(file); at < file.length; at++) {
    if (file[at] === 0xff && file[at + 1] === from) {
      copy[at + 1] = to;
      return copy;
    }
  }
  throw new Error('no such marker');
}
