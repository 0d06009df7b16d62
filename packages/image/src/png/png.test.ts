import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fixture } from '../../test/fixtures.js';
import { decodePng } from './index.js';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type: string, contents: Uint8Array = new Uint8Array(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), contents]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(contents.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

function header(
  width: number,
  height: number,
  depth = 8,
  color = 2,
  compression = 0,
  filter = 0,
  interlace = 0,
): Buffer {
  const contents = Buffer.alloc(13);
  contents.writeUInt32BE(width, 0);
  contents.writeUInt32BE(height, 4);
  contents.set([depth, color, compression, filter, interlace], 8);
  return chunk('IHDR', contents);
}

function png(...chunks: Buffer[]): Uint8Array {
  return new Uint8Array(Buffer.concat([SIGNATURE, ...chunks]));
}

const END = chunk('IEND');
const RAW = Buffer.from([0, 1, 2, 3]);
const DATA = chunk('IDAT', deflateSync(RAW));
const zeros = (length: number): Buffer => chunk('IDAT', deflateSync(Buffer.alloc(length)));

/** A copy with one byte changed. */
function damaged(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

const wrongAdler = damaged(new Uint8Array(deflateSync(RAW)), deflateSync(RAW).length - 1);

describe('decodePng', () => {
  it('decodes the smallest file, and does not touch it', () => {
    const file = png(header(1, 1), DATA, END);
    const before = file.slice();
    expect(decodePng(file)).toEqual({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3) });
    expect(file).toEqual(before);
  });

  it('decodes a view into a larger buffer', () => {
    const file = png(header(1, 1), DATA, END);
    const larger = new Uint8Array(file.length + 20).fill(7);
    larger.set(file, 9);
    expect(decodePng(larger.subarray(9, 9 + file.length)).data).toEqual(Uint8Array.of(1, 2, 3));
  });

  it.each<[string, string, Uint8Array]>([
    ['E_IMAGE_CORRUPT', 'another format', fixture('grey.jpg')],
    ['E_IMAGE_CORRUPT', 'nothing after the signature', png()],
    ['E_IMAGE_CORRUPT', 'no header', png(DATA, END)],
    ['E_IMAGE_CORRUPT', 'a short header', png(chunk('IHDR', Buffer.alloc(12)), DATA, END)],
    ['E_IMAGE_CORRUPT', 'no width', png(header(0, 1), DATA, END)],
    ['E_IMAGE_CORRUPT', 'depth 3', png(header(1, 1, 3, 0), DATA, END)],
    ['E_IMAGE_CORRUPT', 'color type 1', png(header(1, 1, 8, 1), DATA, END)],
    ['E_IMAGE_CORRUPT', 'a palette of 16-bit numbers', png(header(1, 1, 16, 3), DATA, END)],
    ['E_IMAGE_CORRUPT', 'an unknown compression', png(header(1, 1, 8, 2, 1), DATA, END)],
    ['E_IMAGE_CORRUPT', 'an unknown filter method', png(header(1, 1, 8, 2, 0, 1), DATA, END)],
    ['E_IMAGE_CORRUPT', 'an unknown interlace method', png(header(1, 1, 8, 2, 0, 0, 2), DATA, END)],
    ['E_IMAGE_CORRUPT', 'no image data', png(header(1, 1), END)],
    ['E_IMAGE_CORRUPT', 'no end', png(header(1, 1), DATA)],
    ['E_IMAGE_CORRUPT', 'no palette', png(header(1, 1, 8, 3), zeros(2), END)],
    ['E_IMAGE_CORRUPT', 'a palette of 4 bytes', png(header(1, 1, 8, 3), chunk('PLTE', Buffer.alloc(4)), zeros(2), END)],
    ['E_IMAGE_CORRUPT', 'a palette after the data', png(header(1, 1), DATA, chunk('PLTE', Buffer.alloc(3)), END)],
    ['E_IMAGE_CORRUPT', 'a wrong checksum in the header', damaged(png(header(1, 1), DATA, END), 30)],
    ['E_IMAGE_CORRUPT', 'a wrong checksum in the data', damaged(png(header(1, 1), DATA, END), 33 + 8 + 4)],
    ['E_IMAGE_CORRUPT', 'a wrong Adler-32', png(header(1, 1), chunk('IDAT', wrongAdler), END)],
    ['E_IMAGE_CORRUPT', 'filter 5', png(header(1, 1), chunk('IDAT', deflateSync(Buffer.from([5, 1, 2, 3]))), END)],
    ['E_IMAGE_CORRUPT', 'one byte too few', png(header(1, 1), zeros(3), END)],
    ['E_IMAGE_CORRUPT', 'one byte too many', png(header(1, 1), zeros(5), END)],
    ['E_IMAGE_CORRUPT', 'no zlib stream', png(header(1, 1), chunk('IDAT', Buffer.alloc(20)), END)],
    ['E_IMAGE_CORRUPT', 'a length past the end', png(header(1, 1), Buffer.from([0x7f, 255, 255, 255, 65, 65, 65, 65]))],
    ['E_PNG_UNSUPPORTED', 'an unknown critical chunk', png(header(1, 1), chunk('CgBI'), DATA, END)],
    ['E_PNG_16BIT', '16-bit grey', png(header(1, 1, 16, 0), zeros(3), END)],
    ['E_IMAGE_TOO_LARGE', '50 megapixels', png(header(10_000, 5_000), DATA, END)],
    ['E_IMAGE_TOO_LARGE', 'the largest size', png(header(0x7fffffff, 0x7fffffff), DATA, END)],
  ])('%s: %s', (code, _, file) => {
    expect(() => decodePng(file, { where: 'here.png' })).toThrow(
      expect.objectContaining({ name: 'ImageError', code, where: 'here.png' }),
    );
  });

  it('refuses a file that cannot hold its image before allocating for it', () => {
    const file = png(header(7_000, 7_000), DATA, END);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decodePng(file)).toThrow(expect.objectContaining({ code: 'E_IMAGE_CORRUPT' }));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  it('stops at data that decompresses to far more than the image', () => {
    const bomb = chunk('IDAT', deflateSync(Buffer.alloc(50_000_000)));
    const started = performance.now();
    expect(() => decodePng(png(header(1, 1), bomb, END))).toThrow(expect.objectContaining({ code: 'E_IMAGE_CORRUPT' }));
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('decodes what is larger than the default limit on request, up to the limit that is given', () => {
    const file = png(header(4, 4), zeros(4 * 13), END);
    expect(decodePng(file, { maxPixels: 16 }).data).toEqual(new Uint8Array(48));
    expect(() => decodePng(file, { maxPixels: 15 })).toThrow(expect.objectContaining({ code: 'E_IMAGE_TOO_LARGE' }));
    const wide = png(header(60_000_000, 1, 1, 0), zeros(1 + 7_500_000), END);
    expect(() => decodePng(wide)).toThrow(expect.objectContaining({ code: 'E_IMAGE_TOO_LARGE' }));
    expect(decodePng(wide, { maxPixels: 60_000_000 }).data.length).toBe(180_000_000);
  });
});
