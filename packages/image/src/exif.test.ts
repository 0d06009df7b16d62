import { describe, expect, it } from 'vitest';
import { readOrientation } from './exif.js';

/** A little-endian TIFF block with one entry. */
function block(tag: number, type: number, count: number, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(26));
  view.setUint32(0, 0x2a004949, true);
  view.setUint16(0, 0x4949);
  view.setUint16(2, 42, true);
  view.setUint32(4, 8, true);
  view.setUint16(8, 1, true);
  view.setUint16(10, tag, true);
  view.setUint16(12, type, true);
  view.setUint32(14, count, true);
  view.setUint32(18, value, true);
  return new Uint8Array(view.buffer);
}

describe('readOrientation', () => {
  it('reads SHORT and LONG', () => {
    expect(readOrientation(block(0x112, 3, 1, 6))).toBe(6);
    expect(readOrientation(block(0x112, 4, 1, 8))).toBe(8);
  });

  it.each([
    ['another tag', block(0x111, 3, 1, 6)],
    ['another type', block(0x112, 2, 1, 6)],
    ['two values', block(0x112, 3, 2, 6)],
    ['an unknown orientation', block(0x112, 3, 1, 9)],
    ['orientation 0', block(0x112, 3, 1, 0)],
    ['nothing', new Uint8Array(0)],
    ['another byte order', block(0x112, 3, 1, 6).fill(0x4a, 0, 2)],
    ['another magic number', block(0x112, 3, 1, 6).fill(43, 2, 3)],
    ['a directory outside', block(0x112, 3, 1, 6).fill(255, 4, 8)],
    ['an entry cut short', block(0x112, 3, 1, 6).subarray(0, 20)],
  ])('takes %s for upright', (_, bytes) => {
    expect(readOrientation(bytes)).toBe(1);
  });
});
