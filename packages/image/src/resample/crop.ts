import { checkDimension, checkPixels, type Pixels } from '../pixels.js';

/**
 * The middle `width` x `height` of `image`, as torchvision's `CenterCrop`: the offset is `round(difference / 2)` with
 * halves to even, and an image smaller than the crop is first padded with zeros (the odd row or column at the end).
 *
 * @throws ImageError `E_IMAGE_ARGUMENT`: sizes are not positive integers, or bytes do not fit.
 */
export function centerCrop(image: Pixels, width: number, height: number): Pixels {
  checkPixels(image);
  checkDimension(width, 'width');
  checkDimension(height, 'height');
  const columns = centerPlacement(image.width, width);
  const rows = centerPlacement(image.height, height);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < rows.length; y++) {
    const from = ((rows.from + y) * image.width + columns.from) * 3;
    data.set(image.data.subarray(from, from + columns.length * 3), ((rows.to + y) * width + columns.to) * 3);
  }
  return { width, height, data };
}

/** Which samples of one side of `size` are kept by a crop of `crop`, and where they go. */
export function centerPlacement(size: number, crop: number): { from: number; to: number; length: number } {
  const difference = size - crop;
  if (difference < 0) return { from: 0, to: -difference >> 1, length: size };
  const half = difference >> 1;
  // An odd difference ends in one half: to the even neighbor.
  return { from: half + (difference & half & 1), to: 0, length: crop };
}
