import type { Orientation } from './exif.js';
import { allocate, type DecodeOptions, type Pixels } from './pixels.js';

/** `image` turned upright: what Pillow's `ImageOps.exif_transpose` does for the orientation. */
export function orient(image: Pixels, orientation: Orientation, options: DecodeOptions): Pixels {
  if (orientation === 1) return image;
  const { width, height, data } = image;
  // Bits of (orientation - 1): 4 = swap the axes; then the flips of the result below.
  const swapped = orientation >= 5;
  const flipX = orientation === 2 || orientation === 3 || orientation === 6 || orientation === 7;
  const flipY = orientation === 3 || orientation === 4 || orientation === 7 || orientation === 8;
  const newWidth = swapped ? height : width;
  const newHeight = swapped ? width : height;
  const target = allocate(data.length, options);
  // Distance in the source between neighbors along x and along y of the result.
  let stepX = swapped ? width * 3 : 3;
  let stepY = swapped ? 3 : width * 3;
  let start = 0;
  if (flipX) {
    start += (newWidth - 1) * stepX;
    stepX = -stepX;
  }
  if (flipY) {
    start += (newHeight - 1) * stepY;
    stepY = -stepY;
  }
  let to = 0;
  for (let y = 0; y < newHeight; y++) {
    let from = start + y * stepY;
    for (let x = 0; x < newWidth; x++) {
      target[to] = data[from] as number;
      target[to + 1] = data[from + 1] as number;
      target[to + 2] = data[from + 2] as number;
      to += 3;
      from += stepX;
    }
  }
  return { width: newWidth, height: newHeight, data: target };
}
