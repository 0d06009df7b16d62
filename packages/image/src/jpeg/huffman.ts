import { corrupt } from '../error.js';

/** A Huffman table of a DHT segment, ready for decoding. */
export interface HuffmanTable {
  /** By the next 8 bits: the length of the code, 9 where it is longer than 8 bits (or none). */
  readonly lengths: Uint8Array;
  /** By length 1 … 16: the largest code of that length, or -1; of 17, which no code has, what ends every search. */
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
  const lengths = new Uint8Array(256).fill(9);
  const largest = new Int32Array(18).fill(-1);
  largest[17] = 0x7fffffff;
  const offset = new Int32Array(17);
  let code = 0;
  let place = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1] as number;
    offset[length] = place - code;
    if (length <= 8) lengths.fill(length, code << (8 - length), (code + count) << (8 - length));
    code += count;
    place += count;
    if (code > 1 << length) throw corrupt('A Huffman table of the JPEG file has more codes than fit', where);
    if (count > 0) largest[length] = code - 1;
    code <<= 1;
  }
  return { lengths, largest, offset, symbols };
}
