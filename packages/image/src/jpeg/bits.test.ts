import { describe, expect, it } from 'vitest';
import { bitReader, readBits, readSigned, readSymbol } from './bits.js';
import { buildHuffmanTable } from './huffman.js';

/** One code of every length 1 … 16: ones that end in a zero. The code of sixteen ones is none. */
const table = buildHuffmanTable(
  new Uint8Array(16).fill(1),
  Uint8Array.from({ length: 16 }, (_, i) => 100 + i),
  undefined,
);

/** Bits as the bytes of a scan, filled up with ones, FF stuffed. */
function bytesOf(bits: string): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < bits.length; at += 8) {
    const byte = Number.parseInt(bits.slice(at, at + 8).padEnd(8, '1'), 2);
    bytes.push(byte);
    if (byte === 0xff) bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

const codeOf = (length: number): string => `${'1'.repeat(length - 1)}0`;

describe('readSymbol', () => {
  it('finds codes of every length, after one another and between other bits', () => {
    const lengths = [1, 16, 9, 8, 2, 15, 10, 7, 3, 14, 11, 6, 4, 13, 12, 5, 16, 1];
    const reader = bitReader(bytesOf(lengths.map((length) => `${codeOf(length)}101`).join('')), 0, undefined);
    for (const length of lengths) {
      expect(readSymbol(reader, table)).toBe(99 + length);
      expect(readBits(reader, 3)).toBe(5);
    }
  });

  it('refuses a code that the table lacks', () => {
    const reader = bitReader(bytesOf('1'.repeat(24)), 0, 'photo.jpg');
    expect(() => readSymbol(reader, table)).toThrowError(
      expect.objectContaining({ code: 'E_IMAGE_CORRUPT', where: 'photo.jpg' }),
    );
  });

  it('refuses every code of an empty table', () => {
    const empty = buildHuffmanTable(new Uint8Array(16), new Uint8Array(0), undefined);
    for (const bits of ['0'.repeat(24), '1'.repeat(24), '10'.repeat(12)]) {
      expect(() => readSymbol(bitReader(bytesOf(bits), 0, undefined), empty)).toThrowError(
        expect.objectContaining({ code: 'E_IMAGE_CORRUPT' }),
      );
    }
  });
});

it('reads up to 16 bits from wherever it stands, zeros behind the end', () => {
  const reader = bitReader(bytesOf(`${'0'.repeat(15)}1${'1'.repeat(16)}0`), 0, undefined);
  expect([readBits(reader, 16), readBits(reader, 0), readSigned(reader, 16)]).toEqual([1, 0, 65535]);
  expect(readSigned(reader, 1)).toBe(-1);
  expect(readBits(reader, 16)).toBe(0b1111111 << 9);
  expect(reader.padding).toBeGreaterThan(0);
});
