import { checkDecodeArguments, type DecodeOptions, type Pixels } from '../pixels.js';
import { finish } from '../steps.js';
import { decodeJpegSteps } from './steps.js';

export type { DecodeOptions, Pixels } from '../pixels.js';

/**
 * Decodes a JPEG file (baseline, extended or progressive Huffman coding, 8 bits; grey, YCbCr, RGB, CMYK, YCCK) to the
 * same bytes as libjpeg-turbo with its default settings and Pillow's `convert('RGB')`, EXIF orientation applied.
 *
 * @throws ImageError `E_IMAGE_CORRUPT`, `E_IMAGE_TOO_LARGE`, `E_JPEG_ARITHMETIC`, `E_JPEG_LOSSLESS`,
 * `E_JPEG_PRECISION`, `E_JPEG_UNSUPPORTED`, `E_IMAGE_ARGUMENT`.
 */
export function decodeJpeg(bytes: Uint8Array, options: DecodeOptions = {}): Pixels {
  checkDecodeArguments(bytes, options);
  return finish(decodeJpegSteps(bytes, options));
}
