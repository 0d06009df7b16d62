import { BICUBIC, BILINEAR, type Filter } from '../coefficients/filters.js';
import { ImageError } from '../error.js';
import { divFloor } from '../integer.js';
import { checkDimension, checkPixels, type Pixels } from '../pixels.js';
import { type Resizing, resizeRegion } from './region.js';

/** Resampling filters, named as in Pillow and timm. */
export type Interpolation = 'bicubic' | 'bilinear';

/**
 * Whose bytes a resized image has. `12`: Pillow up to 12.x, which always resamples rows before columns.
 * `13`: Pillow 13.0, which resamples columns first when the height loses pixels, and more than twice as many as the
 * width. The two differ for tall images only, by a few levels.
 */
export type PillowVersion = 12 | 13;

/** What {@link resize} follows unless told otherwise. */
export const DEFAULT_PILLOW_VERSION: PillowVersion = 13;

/**
 * `image` resampled to `width` x `height`, byte-equal to Pillow's `Image.resize((width, height), BICUBIC | BILINEAR)`
 * of an RGB image: antialiased, one direction after the other with 8 bits in between.
 *
 * @throws ImageError `E_IMAGE_ARGUMENT`: sizes are not positive integers, bytes do not fit, unknown interpolation;
 * `E_IMAGE_TOO_LARGE`: no memory for the result.
 */
export function resize(
  image: Pixels,
  width: number,
  height: number,
  interpolation: Interpolation,
  pillow: PillowVersion = DEFAULT_PILLOW_VERSION,
): Pixels {
  checkPixels(image);
  checkDimension(width, 'width');
  checkDimension(height, 'height');
  const resizing = resizingOf(image, width, height, interpolation, pillow);
  return { width, height, data: resizeRegion(image, resizing, { left: 0, top: 0, width, height }) };
}

/**
 * `image` resampled so that its shorter side has `size` pixels. The longer side is truncated,
 * `floor(size * long / short)`, as in torchvision's `Resize(size)`.
 *
 * @throws ImageError as {@link resize}.
 */
export function resizeShorterSide(
  image: Pixels,
  size: number,
  interpolation: Interpolation,
  pillow: PillowVersion = DEFAULT_PILLOW_VERSION,
): Pixels {
  checkPixels(image);
  const { width, height } = shorterSideTo(image, size);
  return resize(image, width, height, interpolation, pillow);
}

/** Width and height after resizing the shorter side of `image` to `size`. */
export function shorterSideTo(image: Pixels, size: number): { width: number; height: number } {
  checkDimension(size, 'size');
  const { width, height } = image;
  return width <= height
    ? { width: size, height: divFloor(size * height, width) }
    : { width: divFloor(size * width, height), height: size };
}

/** Checks the names of filter and version, and decides the order of the passes. */
export function resizingOf(
  image: Pixels,
  width: number,
  height: number,
  interpolation: Interpolation,
  pillow: PillowVersion,
): Resizing {
  const filter = filterOf(interpolation);
  if (pillow !== 12 && pillow !== 13) {
    pillow satisfies never;
    throw new ImageError('E_IMAGE_ARGUMENT', `Unknown Pillow version ${String(pillow)}`, { hint: 'Pass 12 or 13.' });
  }
  const lostRows = image.height - height;
  const rowsFirst = pillow === 12 || lostRows <= 0 || lostRows <= 2 * (image.width - width);
  return { width, height, filter, rowsFirst };
}

function filterOf(interpolation: Interpolation): Filter {
  switch (interpolation) {
    case 'bicubic':
      return BICUBIC;
    case 'bilinear':
      return BILINEAR;
    default:
      interpolation satisfies never;
      throw new ImageError('E_IMAGE_ARGUMENT', `Unknown interpolation ${String(interpolation)}`, {
        hint: "Pass 'bicubic' or 'bilinear'.",
      });
  }
}
