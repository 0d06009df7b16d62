import { ImageError } from './error.js';
import { checkDecodeArguments, type DecodeImageOptions, type DecodeOptions, type Pixels } from './pixels.js';
import { finish, finishInTurns, type Steps } from './steps.js';

/** File formats that are decoded. */
export type ImageFormat = 'png' | 'jpeg';

/** The format that the first bytes announce, or undefined. */
export function imageFormat(bytes: Uint8Array): ImageFormat | undefined {
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png';
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return 'jpeg';
  return undefined;
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

/**
 * Decodes a PNG or JPEG file to RGB with its EXIF orientation applied: the same bytes in every engine, and the same as
 * Pillow's `ImageOps.exif_transpose(Image.open(file)).convert('RGB')`. The decoder is loaded when first needed.
 *
 * With a `signal`, the work is done in turns of about 20 ms so that an abort is noticed.
 *
 * @throws ImageError `E_IMAGE_FORMAT` neither PNG nor JPEG; `E_IMAGE_CORRUPT` damaged or incomplete;
 * `E_IMAGE_TOO_LARGE` more than `maxPixels`, told from the header; `E_PNG_…`, `E_JPEG_…` features that are refused;
 * `E_ABORTED`; `E_IMAGE_ARGUMENT`.
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeImageOptions = {}): Promise<Pixels> {
  checkDecodeArguments(bytes, options);
  const { signal, where } = options;
  const checkAborted = (): void => {
    if (signal?.aborted === true) {
      throw new ImageError('E_ABORTED', 'Decoding was aborted', { where, cause: signal.reason });
    }
  };
  checkAborted();
  const format = imageFormat(bytes);
  if (format === undefined) {
    throw new ImageError('E_IMAGE_FORMAT', 'The file is neither PNG nor JPEG', {
      where,
      hint: 'Convert it to one of them.',
    });
  }
  const steps = (await loadDecoder(format))(bytes, options);
  return signal === undefined ? finish(steps) : finishInTurns(steps, checkAborted);
}

async function loadDecoder(format: ImageFormat): Promise<(bytes: Uint8Array, options: DecodeOptions) => Steps<Pixels>> {
  return format === 'png'
    ? (await import('./png/steps.js')).decodePngSteps
    : (await import('./jpeg/steps.js')).decodeJpegSteps;
}
