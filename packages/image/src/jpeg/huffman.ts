import { corrupt } from '../error.js';

/** A Huffman table of a DHT segment, ready for decoding. */
export interface HuffmanTable {
  /** By the next 8 bits: `length << 8 | symbol`, or 0 when the code is longer than 8 bits (or none). */
  readonly lookup: Int32Array;
  /** By length 1 … 16: the largest code of that length, or -1. */
  readonly largest: Int32Array;
  /** By length: what to add to a code to get the place of its symbol. */
  readonly offset: Int32Array;
  readonly symbols: Uint8Array;
}

/**
 * Builds the table (Annex C of ITU-T T.81).
 *
 * @param counts 16 bytes: how many codes have length 1 … 16
 */
export function buildHuffmanTable(counts: Uint8Array, symbols: Uint8Array, where: string | undefined): HuffmanTable {
  const lookup = new Int32Array(256);
  const largest = new Int32Array(17).fill(-1);
  const offset = new Int32Array(17);
  let code = 0;
  let place = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1] as number;
    offset[length] = place - code;
    for (let i = 0; i < count; i++) {
      if (length <= 8) {
        const from = code << (8 - length);
        lookup.fill((length << 8) | (symbols[place] as number), from, from + (1 << (8 - length)));
      }
      code++;
      place++;
    }
    if (code > 1 << length) throw corrupt('A Huffman table of the JPEG file has more codes than fit', where);
    if (count > 0) largest[length] = code - 1;
    code <<= 1;
  }
  return { lookup, largest, offset, symbols };
}
