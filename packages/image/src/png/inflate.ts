import { Unzlib } from 'fflate';
import { corrupt } from '../error.js';
import { allocate, type DecodeOptions } from '../pixels.js';
import type { Steps } from '../steps.js';
import { adler32 } from './checksums.js';

/** Compressed bytes per step: one step makes at most 1032 times as many bytes, which bounds what a bomb can allocate. */
const SLICE = 16384;

/**
 * Decompresses a zlib stream that is known to hold `length` bytes; more or fewer are refused, as is a wrong checksum.
 *
 * Deflate grows data at most 1032 times, so a stream too short for `length` is refused before anything is allocated.
 */
export function* inflate(stream: readonly Uint8Array[], length: number, options: DecodeOptions): Steps<Uint8Array> {
  const { where } = options;
  let total = 0;
  for (const part of stream) total += part.length;
  if (total < 6 || total * 1032 < length) throw corrupt('The PNG image data is too short for the image', where);

  const output = allocate(length, options);
  let filled = 0;
  const inflator = new Unzlib((chunk) => {
    if (filled + chunk.length > length) throw corrupt('The PNG image data is longer than the image', where);
    output.set(chunk, filled);
    filled += chunk.length;
  });
  const checksum: number[] = [];
  let seen = 0;
  for (const part of stream) {
    for (let at = 0; at < part.length; at += SLICE) {
      const slice = part.subarray(at, at + SLICE);
      for (const byte of slice.subarray(Math.max(0, slice.length - 4))) checksum.push(byte);
      checksum.splice(0, checksum.length - 4);
      seen += slice.length;
      push(inflator, slice, seen === total, where);
      yield;
    }
  }
  if (filled !== length) throw corrupt('The PNG image data is too short for the image', where);
  const expected = checksum.reduce((sum, byte) => sum * 256 + byte, 0);
  if (adler32(output) !== expected) throw corrupt('The checksum of the PNG image data is wrong', where);
  return output;
}

function push(inflator: Unzlib, slice: Uint8Array, final: boolean, where: string | undefined): void {
  try {
    // fflate keeps what it is given: a copy, so that the caller's bytes stay the caller's.
    inflator.push(slice.slice(), final);
  } catch (cause) {
    if (isCoded(cause)) throw cause;
    throw corrupt('The PNG image data cannot be decompressed', where, cause);
  }
}

/** fflate's own errors have numeric codes. */
function isCoded(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string';
}
