import { ImageError } from './error.js';

/** An image: rows from the top, pixels from the left, 3 bytes (red, green, blue) per pixel, no padding. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** `height * width * 3` bytes. */
  readonly data: Uint8Array;
}

/** Options of every decoder. */
export interface DecodeOptions {
  /** Largest `width * height` that is decoded. Default {@link DEFAULT_MAX_PIXELS}: 50 megapixels and more are refused. */
  readonly maxPixels?: number | undefined;
  /** Name of the image, for error messages. */
  readonly where?: string | undefined;
}

/** Options of {@link decodeImage}. */
export interface DecodeImageOptions extends DecodeOptions {
  readonly signal?: AbortSignal | undefined;
}

/** One pixel less than 50 megapixels. */
export const DEFAULT_MAX_PIXELS = 49_999_999;

/** Refuses what is no set of bytes, and a `maxPixels` that is no positive integer. */
export function checkDecodeArguments(bytes: Uint8Array, options: DecodeOptions): void {
  if (!(bytes instanceof Uint8Array)) {
    throw new ImageError('E_IMAGE_ARGUMENT', 'The image is not a Uint8Array', { where: options.where });
  }
  const { maxPixels } = options;
  if (maxPixels !== undefined && !(Number.isSafeInteger(maxPixels) && maxPixels > 0)) {
    throw new ImageError('E_IMAGE_ARGUMENT', `maxPixels is not a positive integer: ${String(maxPixels)}`, {
      where: options.where,
    });
  }
}

/** Refuses an image by the size that its header claims, before anything is allocated for it. */
export function checkSize(width: number, height: number, options: DecodeOptions): void {
  const limit = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  if (width * height > limit) {
    throw new ImageError('E_IMAGE_TOO_LARGE', `The image has ${width}x${height} pixels, more than ${limit}`, {
      where: options.where,
      hint: 'Pass a larger maxPixels if you trust the file and have the memory.',
    });
  }
}

/** Bytes for an image of a checked size; a machine that cannot hold them gets a coded error. */
export function allocate(length: number, options: DecodeOptions): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new ImageError('E_IMAGE_TOO_LARGE', `No memory for ${length} bytes`, { where: options.where, cause });
  }
}

/** Refuses an image whose bytes do not fit its size. */
export function checkPixels(image: Pixels): void {
  const { width, height, data } = image;
  if (!(isSize(width) && isSize(height) && data.length === width * height * 3)) {
    throw new ImageError(
      'E_IMAGE_ARGUMENT',
      `Not an image: ${String(width)}x${String(height)} pixels with ${data.length} bytes`,
      { hint: 'Pass width * height * 3 bytes.' },
    );
  }
}

/** Refuses a width or height that is no integer in 1 … 2^31-1. */
export function checkDimension(value: number, name: string): void {
  if (!isSize(value)) throw new ImageError('E_IMAGE_ARGUMENT', `${name} is not a positive integer: ${String(value)}`);
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= 0x7fffffff;
}
