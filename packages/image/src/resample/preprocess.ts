import { checkDimension, checkPixels, type Pixels } from '../pixels.js';
import { centerCrop, centerPlacement } from './crop.js';
import { resizeRegion } from './region.js';
import { DEFAULT_PILLOW_VERSION, type Interpolation, type PillowVersion, resizingOf, shorterSideTo } from './resize.js';

/** What a model wants: the shorter side after resizing, the filter, and the size of the crop. */
export interface PreprocessOptions {
  /** Pixels of the shorter side after resizing: `floor(crop / crop_pct)` in timm's terms. */
  readonly resize: number;
  readonly interpolation: Interpolation;
  readonly crop: { readonly height: number; readonly width: number };
  /** Whose bytes; default {@link DEFAULT_PILLOW_VERSION}. */
  readonly pillow?: PillowVersion | undefined;
}

/**
 * The bytes a model sees: `centerCrop(resizeShorterSide(image, …), …)`, computing only the pixels of the crop.
 *
 * @returns `crop.height * crop.width * 3` bytes, rows from the top, red green blue.
 * @throws ImageError `E_IMAGE_ARGUMENT` as `resizeShorterSide` and `centerCrop`.
 */
export function preprocess(image: Pixels, options: PreprocessOptions): Uint8Array {
  const { crop, interpolation, resize, pillow = DEFAULT_PILLOW_VERSION } = options;
  checkPixels(image);
  checkDimension(crop.width, 'crop.width');
  checkDimension(crop.height, 'crop.height');
  const { width, height } = shorterSideTo(image, resize);
  checkDimension(width, 'width after resizing');
  checkDimension(height, 'height after resizing');
  const columns = centerPlacement(width, crop.width);
  const rows = centerPlacement(height, crop.height);
  const region = { left: columns.from, top: rows.from, width: columns.length, height: rows.length };
  const data = resizeRegion(image, resizingOf(image, width, height, interpolation, pillow), region);
  // Pads where the resized image is smaller than the crop; else it is the crop already.
  return centerCrop({ width: region.width, height: region.height, data }, crop.width, crop.height).data;
}
