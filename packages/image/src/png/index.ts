import { checkDecodeArguments, type DecodeOptions, type Pixels } from '../pixels.js';
import { finish } from '../steps.js';
import { decodePngSteps } from './steps.js';

export type { DecodeOptions, Pixels } from '../pixels.js';

/**
 * Decodes a PNG file to RGB as Pillow's `convert('RGB')` does: alpha dropped, 16-bit color to its high byte, EXIF
 * orientation applied. An animated PNG gives its default image.
 *
 * @throws ImageError `E_IMAGE_CORRUPT`, `E_IMAGE_TOO_LARGE`, `E_PNG_16BIT`, `E_PNG_UNSUPPORTED`, `E_IMAGE_ARGUMENT`.
 */
export function decodePng(bytes: Uint8Array, options: DecodeOptions = {}): Pixels {
  checkDecodeArguments(bytes, options);
  return finish(decodePngSteps(bytes, options));
}
