import { corrupt, ImageError } from '../error.js';
import { type Orientation, readOrientation } from '../exif.js';
import { checkSize, type DecodeOptions } from '../pixels.js';
import { crc32 } from './checksums.js';

/** Color types of PNG (11.2.1 of the specification). */
export const GREY = 0;
export const TRUE_COLOR = 2;
export const PALETTE = 3;
export const GREY_ALPHA = 4;
export const TRUE_COLOR_ALPHA = 6;

/** What the chunks of a PNG file say, with the compressed image data still compressed. */
export interface PngFile {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colorType: number;
  readonly interlaced: boolean;
  /** 3 bytes per color; empty unless the color type is PALETTE. */
  readonly palette: Uint8Array;
  readonly orientation: Orientation;
  readonly compressed: readonly Uint8Array[];
}

type Header = Pick<PngFile, 'width' | 'height' | 'depth' | 'colorType' | 'interlaced'>;

export const PNG_SIGNATURE: readonly number[] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const DEPTHS: ReadonlyMap<number, readonly number[]> = new Map([
  [GREY, [1, 2, 4, 8, 16]],
  [TRUE_COLOR, [8, 16]],
  [PALETTE, [1, 2, 4, 8]],
  [GREY_ALPHA, [8, 16]],
  [TRUE_COLOR_ALPHA, [8, 16]],
]);

/** Reads the chunks up to IEND, with the checksum of each; the size is checked as soon as it is known. */
export function readChunks(bytes: Uint8Array, options: DecodeOptions): PngFile {
  const { where } = options;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Header | undefined;
  let palette: Uint8Array = new Uint8Array(0);
  let orientation: Orientation = 1;
  const compressed: Uint8Array[] = [];
  let at = PNG_SIGNATURE.length;
  for (;;) {
    if (at + 12 > bytes.length) throw corrupt('The PNG file ends before its IEND chunk', where);
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const start = at + 8;
    const end = start + length;
    if (end + 4 > bytes.length) throw corrupt(`The PNG chunk at byte ${at} goes past the end of the file`, where);
    const contents = bytes.subarray(start, end);
    if (header === undefined) {
      // First of all, so that a file of the wrong size is refused before its contents are read.
      if (type !== 'IHDR' || length !== 13) throw corrupt('The PNG file does not begin with its header', where);
      checkChecksum(bytes, view, at, end, where);
      header = readHeader(view, start, options);
      at = end + 4;
      continue;
    }
    checkChecksum(bytes, view, at, end, where);
    switch (type) {
      case 'PLTE':
        if (compressed.length > 0 || palette.length > 0 || length === 0 || length > 768 || length % 3 !== 0) {
          throw corrupt('The palette of the PNG file is misplaced or has an impossible length', where);
        }
        palette = contents;
        break;
      case 'IDAT':
        compressed.push(contents);
        break;
      case 'IEND':
        if (compressed.length === 0) throw corrupt('The PNG file has no image data', where);
        if (header.colorType === PALETTE && palette.length === 0) throw corrupt('The PNG file has no palette', where);
        return { ...header, palette, orientation, compressed };
      case 'eXIf':
        orientation = readOrientation(contents);
        break;
      default:
        // A capital first letter says that the file cannot be understood without the chunk.
        if (((bytes[at + 4] as number) & 0x20) === 0) {
          throw new ImageError('E_PNG_UNSUPPORTED', `Unknown critical PNG chunk at byte ${at}`, {
            where,
            hint: 'Save the image anew as plain PNG.',
          });
        }
    }
    at = end + 4;
  }
}

function checkChecksum(bytes: Uint8Array, view: DataView, at: number, end: number, where: string | undefined): void {
  if (crc32(bytes, at + 4, end) !== view.getUint32(end)) {
    throw corrupt(`The checksum of the PNG chunk at byte ${at} is wrong`, where);
  }
}

function readHeader(view: DataView, start: number, options: DecodeOptions): Header {
  const { where } = options;
  const width = view.getUint32(start);
  const height = view.getUint32(start + 4);
  const depth = view.getUint8(start + 8);
  const colorType = view.getUint8(start + 9);
  const interlace = view.getUint8(start + 12);
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff) {
    throw corrupt('The PNG header has an impossible size', where);
  }
  if (DEPTHS.get(colorType)?.includes(depth) !== true) {
    throw corrupt(`The PNG header has color type ${colorType} with depth ${depth}, which do not exist together`, where);
  }
  if (view.getUint8(start + 10) !== 0 || view.getUint8(start + 11) !== 0 || interlace > 1) {
    throw corrupt('The PNG header names an unknown compression, filter or interlace method', where);
  }
  checkSize(width, height, options);
  if (colorType === GREY && depth === 16) {
    throw new ImageError('E_PNG_16BIT', '16-bit grey PNG is not an 8-bit picture', {
      where,
      hint: 'Scale it to 8 bits yourself: which range of the 65536 levels becomes black to white is a choice.',
    });
  }
  return { width, height, depth, colorType, interlaced: interlace === 1 };
}
