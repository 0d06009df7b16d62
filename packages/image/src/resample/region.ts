import type { Filter } from '../coefficients/filters.js';
import { PRECISION_BITS, resamplingWindows, type Windows } from '../coefficients/windows.js';
import { allocate, type Pixels } from '../pixels.js';

/** A rectangle of an image. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Rows `top` … `top + height - 1` of some image, `width` pixels each. */
interface Band {
  readonly data: Uint8Array;
  readonly width: number;
  readonly top: number;
  readonly height: number;
}

const HALF = 1 << (PRECISION_BITS - 1);

/**
 * The pixels of `region` out of `image` resampled to `width` x `height`, without computing the others: an output pixel
 * depends only on its window, so a part of the result equals the same part of the whole. Arguments are checked already.
 */
export function resizeRegion(image: Pixels, width: number, height: number, filter: Filter, region: Region): Uint8Array {
  const rows = height === image.height ? undefined : windowsOf(image.height, height, filter, region.top, region.height);
  const top = rows === undefined ? region.top : (rows.first[0] as number);
  const last = region.height - 1;
  const bottom = rows === undefined ? top + last + 1 : (rows.first[last] as number) + (rows.count[last] as number);
  let band: Band = { data: image.data, width: image.width, top, height: bottom - top };
  band =
    width === image.width
      ? copyColumns(band, region)
      : resizeRows(band, windowsOf(image.width, width, filter, region.left, region.width));
  return rows === undefined ? band.data : resizeColumns(band, rows);
}

function windowsOf(inputSize: number, outputSize: number, filter: Filter, from: number, length: number): Windows {
  return resamplingWindows(inputSize, outputSize, filter, from, length);
}

function copyColumns(band: Band, region: Region): Band {
  const rowBytes = region.width * 3;
  const target = allocate(rowBytes * band.height, {});
  for (let y = 0; y < band.height; y++) {
    const from = ((band.top + y) * band.width + region.left) * 3;
    target.set(band.data.subarray(from, from + rowBytes), y * rowBytes);
  }
  return { data: target, width: region.width, top: band.top, height: band.height };
}

/**
 * Resamples each row of the band. Sums are int32 as in Pillow: the absolute weights of a window add up to less than
 * 1.5 * 2^22, times 255, plus 2^21, is below 2^31.
 */
function resizeRows(band: Band, windows: Windows): Band {
  const { first, count, weights, stride } = windows;
  const source = band.data;
  const width = first.length;
  const target = allocate(width * band.height * 3, {});
  let to = 0;
  for (let y = 0; y < band.height; y++) {
    const row = (band.top + y) * band.width * 3;
    for (let x = 0; x < width; x++) {
      let from = row + (first[x] as number) * 3;
      let weightAt = x * stride;
      const end = weightAt + (count[x] as number);
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (; weightAt < end; weightAt++) {
        const weight = weights[weightAt] as number;
        red = (red + Math.imul(source[from] as number, weight)) | 0;
        green = (green + Math.imul(source[from + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(source[from + 2] as number, weight)) | 0;
        from += 3;
      }
      target[to] = clampByte(red >> PRECISION_BITS);
      target[to + 1] = clampByte(green >> PRECISION_BITS);
      target[to + 2] = clampByte(blue >> PRECISION_BITS);
      to += 3;
    }
  }
  return { data: target, width, top: band.top, height: band.height };
}

/** Resamples the columns of a band that starts at its own first row; row after row, so that memory is walked in order. */
function resizeColumns(band: Band, windows: Windows): Uint8Array {
  const { first, count, weights, stride } = windows;
  const source = band.data;
  const rowBytes = band.width * 3;
  const height = first.length;
  const target = allocate(rowBytes * height, {});
  const sums = new Int32Array(rowBytes);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    let from = ((first[y] as number) - band.top) * rowBytes;
    const taps = count[y] as number;
    for (let i = 0; i < taps; i++) {
      const weight = weights[y * stride + i] as number;
      for (let x = 0; x < rowBytes; x++) {
        sums[x] = ((sums[x] as number) + Math.imul(source[from + x] as number, weight)) | 0;
      }
      from += rowBytes;
    }
    const to = y * rowBytes;
    for (let x = 0; x < rowBytes; x++) target[to + x] = clampByte((sums[x] as number) >> PRECISION_BITS);
  }
  return target;
}

function clampByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
