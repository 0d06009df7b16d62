import { BICUBIC, BILINEAR, type Filter } from '../coefficients/filters.js';
import { ImageError } from '../error.js';
import { divFloor } from '../integer.js';
import { checkDimension, checkPixels, type Pixels } from '../pixels.js';
import { resizeRegion } from './region.js';

/** Resampling filters, named as in Pillow and timm. */
export type Interpolation = 'bicubic' | 'bilinear';

/**
 * `image` resampled to `width` x `height`, byte-equal to Pillow's `Image.resize((width, height), BICUBIC | BILINEAR)`
 * of an RGB image: antialiased, rows first, then columns, 8 bits in between.
 *
 * @throws ImageError `E_IMAGE_ARGUMENT`: sizes are not positive integers, bytes do not fit, unknown interpolation;
 * `E_IMAGE_TOO_LARGE`: no memory for the result.
 */
export function resize(image: Pixels, width: number, height: number, interpolation: Interpolation): Pixels {
  checkPixels(image);
  checkDimension(width, 'width');
  checkDimension(height, 'height');
  const filter = filterOf(interpolation);
  const region = { left: 0, top: 0, width, height };
  return { width, height, data: resizeRegion(image, width, height, filter, region) };
}

/**
 * `image` resampled so that its shorter side has `size` pixels. The longer side is truncated,
 * `floor(size * long / short)`, as in torchvision's `Resize(size)`.
 *
 * @throws ImageError as {@link resize}.
 */
export function resizeShorterSide(image: Pixels, size: number, interpolation: Interpolation): Pixels {
  checkPixels(image);
  const { width, height } = shorterSideTo(image, size);
  return resize(image, width, height, interpolation);
}

/** Width and height after resizing the shorter side of `image` to `size`. */
export function shorterSideTo(image: Pixels, size: number): { width: number; height: number } {
  checkDimension(size, 'size');
  const { width, height } = image;
  return width <= height
    ? { width: size, height: divFloor(size * height, width) }
    : { width: divFloor(size * width, height), height: size };
}

export function filterOf(interpolation: Interpolation): Filter {
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
