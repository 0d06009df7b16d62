import { corrupt, ImageError } from '../error.js';
import { orient } from '../orient.js';
import { allocate, type DecodeOptions, type Pixels } from '../pixels.js';
import type { Steps } from '../steps.js';
import { colorSpaceOf, ROW_CONVERTERS } from './color.js';
import type { Frame } from './frame.js';
import { countBlocks, decodeScan, rowsPerStep, samplesFromCoefficients } from './scan.js';
import { noHeaders, readSegments } from './segments.js';
import { rowSource } from './upsample.js';

/** Real encoders write about 10; every scan costs a pass over the whole image. */
const MAX_SCANS = 256;

/** Decoding in steps; arguments are checked already. */
export function* decodeJpegSteps(bytes: Uint8Array, options: DecodeOptions): Steps<Pixels> {
  const { where } = options;
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw corrupt('Not a JPEG file', where);
  const headers = noHeaders();
  let position = 2;
  let scans = 0;
  for (;;) {
    const next = readSegments(bytes, position, headers, options);
    if (next === undefined) break;
    const { frame } = headers;
    if (frame === undefined) throw corrupt('The JPEG file has data before its frame header', where);
    if (scans === 0) allocatePlanes(frame, bytes.length, options);
    if (++scans > MAX_SCANS) throw corrupt(`The JPEG file has more than ${MAX_SCANS} scans`, where);
    position = yield* decodeScan(bytes, next.position, frame, next.scan, where);
  }
  const { frame } = headers;
  if (frame === undefined || scans === 0) throw corrupt('The JPEG file has no image', where);
  checkComplete(frame, where);
  if (frame.progressive) {
    for (const component of frame.components) {
      component.plane = allocate(component.blockStride * component.blocksHigh * 64, options);
      yield* samplesFromCoefficients(component, where);
      component.coefficients = new Int16Array(0);
    }
  }

  const { width, height } = frame;
  const data = allocate(width * height * 3, options);
  const sources = frame.components.map((component) => rowSource(component, frame));
  const rows = frame.components.map(() => new Uint8Array(width + 1));
  const convert =
    ROW_CONVERTERS[
      colorSpaceOf(
        headers,
        frame.components.map(({ id }) => id),
      )
    ];
  const pause = rowsPerStep(width);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < sources.length; i++) sources[i]?.(y, rows[i] as Uint8Array);
    convert(rows, width, data, y * width * 3);
    if (y % pause === 0) yield;
  }
  return orient({ width, height, data }, headers.orientation ?? 1, options);
}

/**
 * Memory for the samples, or for the coefficients of a progressive file (2 bytes each). A block takes at least two bits
 * (a code for its mean and one for the end of the block), or one in progressive files: a file too short for that is
 * refused before anything is allocated.
 */
function allocatePlanes(frame: Frame, fileLength: number, options: DecodeOptions): void {
  if (fileLength * 8 < countBlocks(frame) * (frame.progressive ? 1 : 2)) {
    throw corrupt('The JPEG file is too short for its image', options.where);
  }
  for (const component of frame.components) {
    const samples = component.blockStride * frame.mcusHigh * component.v * 64;
    if (!frame.progressive) component.plane = allocate(samples, options);
    else component.coefficients = allocateCoefficients(samples, options);
  }
}

function allocateCoefficients(length: number, options: DecodeOptions): Int16Array {
  try {
    return new Int16Array(length);
  } catch (cause) {
    throw new ImageError('E_IMAGE_TOO_LARGE', `No memory for ${length} coefficients`, { where: options.where, cause });
  }
}

/**
 * Refuses a file that lacks scans. The first ten coefficients must be there to the last bit, since decoders that guess
 * them (libjpeg's block smoothing) guess differently from version to version; the others count as zero until they come.
 */
function checkComplete(frame: Frame, where: string | undefined): void {
  for (const { lowestBit } of frame.components) {
    for (let k = 0; k < 10; k++) {
      if (lowestBit[k] !== 0) throw corrupt('The JPEG file ends before its image is complete', where);
    }
  }
}
