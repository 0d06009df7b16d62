import { corrupt } from '../error.js';
import { orient } from '../orient.js';
import { allocate, type DecodeOptions, type Pixels } from '../pixels.js';
import type { Steps } from '../steps.js';
import { PNG_SIGNATURE, readChunks } from './chunks.js';
import { inflate } from './inflate.js';
import { channelsOf, rowWriter } from './rgb.js';
import { passesOf, unfilter } from './scanlines.js';

/** Rows between two steps. */
const ROWS_PER_STEP = 64;

/** Decoding in steps; arguments are checked already. */
export function* decodePngSteps(bytes: Uint8Array, options: DecodeOptions): Steps<Pixels> {
  if (PNG_SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw corrupt('Not a PNG file', options.where);
  const file = readChunks(bytes, options);
  const { width, height } = file;
  const bits = channelsOf(file.colorType) * file.depth;
  const passes = passesOf(width, height, bits, file.interlaced);
  let length = 0;
  for (const pass of passes) length += (pass.rowBytes + 1) * pass.height;
  const data = yield* inflate(file.compressed, length, options);

  const target = allocate(width * height * 3, options);
  const distance = Math.max(1, bits >> 3);
  const write = rowWriter(file);
  let at = 1;
  for (const pass of passes) {
    for (let y = 0; y < pass.height; y++) {
      unfilter(data, at, y === 0 ? -1 : at - pass.rowBytes - 1, pass.rowBytes, distance, options.where);
      write(data, at, pass, y, target);
      at += pass.rowBytes + 1;
      if (y % ROWS_PER_STEP === 0) yield;
    }
  }
  return orient({ width, height, data: target }, file.orientation, options);
}
