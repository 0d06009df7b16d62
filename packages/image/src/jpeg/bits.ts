import { corrupt } from '../error.js';
import type { HuffmanTable } from './huffman.js';

/** Reads the entropy-coded data of a scan, bit by bit. Stops at markers: zeros follow, and are counted. */
export interface BitReader {
  readonly bytes: Uint8Array;
  readonly where: string | undefined;
  /** The next byte to take into the buffer. */
  position: number;
  /** The low `count` bits are read but not used. */
  buffer: number;
  count: number;
  /** How many of the bits given out or waiting were made up after the end of the data. */
  padding: number;
}

export function bitReader(bytes: Uint8Array, position: number, where: string | undefined): BitReader {
  return { bytes, where, position, buffer: 0, count: 0, padding: 0 };
}

/**
 * Takes bytes until at least 17 bits wait (at most 24, so the buffer's 32 bits suffice).
 *
 * All callers ask it whether more bits are needed instead of asking themselves: what a caller first does after it was optimized
 * throws its optimized code away, and one that has just read a symbol seldom needs more.
 */
function refill(reader: BitReader, length: number): void {
  if (reader.count >= length) return;
  const { bytes } = reader;
  while (reader.count <= 16) {
    let byte = 0;
    if (reader.position >= bytes.length) reader.padding += 8;
    else {
      byte = bytes[reader.position] as number;
      if (byte !== 0xff) reader.position++;
      else {
        let next = reader.position + 1;
        while (bytes[next] === 0xff) next++;
        if (bytes[next] === 0) reader.position = next + 1;
        else {
          // A marker: it is not taken.
          byte = 0;
          reader.padding += 8;
        }
      }
    }
    reader.buffer = (reader.buffer << 8) | byte;
    reader.count += 8;
  }
}

/** The next `length` bits as an unsigned number; 0 ≤ length ≤ 16. */
export function readBits(reader: BitReader, length: number): number {
  refill(reader, length);
  reader.count -= length;
  return (reader.buffer >>> reader.count) & ((1 << length) - 1);
}

/** A number of `length` bits in the sign convention of JPEG (F.2.2.1 EXTEND); 0 ≤ length ≤ 16. */
export function readSigned(reader: BitReader, length: number): number {
  if (length === 0) return 0;
  const value = readBits(reader, length);
  return value < 1 << (length - 1) ? value - (1 << length) + 1 : value;
}

/**
 * The symbol of the next Huffman code. Long codes take the way of short ones, with more turns: a way of their own would throw away
 * code that was optimized before the first of them.
 */
export function readSymbol(reader: BitReader, table: HuffmanTable): number {
  refill(reader, 16);
  let length = (table.lengths[(reader.buffer >>> (reader.count - 8)) & 255] as number) - 1;
  let code = 0;
  do {
    length++;
    code = (reader.buffer >>> (reader.count - length)) & ((1 << length) - 1);
  } while (code > (table.largest[length] as number));
  if (length > 16) throw corrupt('The JPEG data has a code that its table lacks', reader.where);
  reader.count -= length;
  return table.symbols[(table.offset[length] as number) + code] as number;
}

/** Refuses data that ended before what was read. Called once per MCU, so that broken data ends decoding soon. */
export function checkNotPastEnd(reader: BitReader): void {
  if (reader.padding > reader.count) throw corrupt('The JPEG data ends too early', reader.where);
}
