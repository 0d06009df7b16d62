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

/** A rectangle of some image with its pixels, in rows of `stride` pixels. */
interface Band extends Region {
  readonly data: Uint8Array;
  readonly stride: number;
}

/** Everything that decides the bytes of a resized image. */
export interface Resizing {
  readonly width: number;
  readonly height: number;
  readonly filter: Filter;
  /** Rows (one row at a time) before columns. The result in between is rounded to bytes, so the order shows. */
  readonly rowsFirst: boolean;
}

const HALF = 1 << (PRECISION_BITS - 1);

/**
 * The pixels of `region` out of the resized image, without computing the others: an output pixel depends only on its
 * windows, so a part of the result equals the same part of the whole. A side that keeps its size is not filtered.
 */
export function resizeRegion(image: Pixels, resizing: Resizing, region: Region): Uint8Array {
  const { width, height, filter, rowsFirst } = resizing;
  const columns =
    width === image.width ? undefined : resamplingWindows(image.width, width, filter, region.left, region.width);
  const rows =
    height === image.height ? undefined : resamplingWindows(image.height, height, filter, region.top, region.height);
  const [left, right] = extent(columns, region.left, region.width);
  const [top, bottom] = extent(rows, region.top, region.height);
  let band: Band = {
    data: image.data.subarray((top * image.width + left) * 3),
    stride: image.width,
    left,
    top,
    width: right - left,
    height: bottom - top,
  };
  if (columns === undefined && rows === undefined) return copy(band);
  if (rowsFirst && columns !== undefined) band = resizeRows(band, columns);
  if (rows !== undefined) band = resizeColumns(band, rows);
  if (!rowsFirst && columns !== undefined) band = resizeRows(band, columns);
  return band.data;
}

/** Start and end of the samples that the windows see; they move in one direction, so the outer ones tell. */
function extent(windows: Windows | undefined, start: number, length: number): [number, number] {
  if (windows === undefined) return [start, start + length];
  const last = length - 1;
  return [windows.first[0] as number, (windows.first[last] as number) + (windows.count[last] as number)];
}

function copy(band: Band): Uint8Array {
  const rowBytes = band.width * 3;
  const target = allocate(rowBytes * band.height, {});
  for (let y = 0; y < band.height; y++) {
    const from = y * band.stride * 3;
    target.set(band.data.subarray(from, from + rowBytes), y * rowBytes);
  }
  return target;
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
    const row = (y * band.stride - band.left) * 3;
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
  return { data: target, stride: width, left: 0, top: band.top, width, height: band.height };
}

/** Resamples each column of the band; row after row with int32 sums, so that memory is walked in order. */
function resizeColumns(band: Band, windows: Windows): Band {
  const { first, count, weights, stride } = windows;
  const source = band.data;
  const rowBytes = band.width * 3;
  const sourceRowBytes = band.stride * 3;
  const height = first.length;
  const target = allocate(rowBytes * height, {});
  const sums = new Int32Array(rowBytes);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    let from = ((first[y] as number) - band.top) * sourceRowBytes;
    const taps = count[y] as number;
    for (let i = 0; i < taps; i++) {
      const weight = weights[y * stride + i] as number;
      for (let x = 0; x < rowBytes; x++) {
        sums[x] = ((sums[x] as number) + Math.imul(source[from + x] as number, weight)) | 0;
      }
      from += sourceRowBytes;
    }
    const to = y * rowBytes;
    for (let x = 0; x < rowBytes; x++) target[to + x] = clampByte((sums[x] as number) >> PRECISION_BITS);
  }
  return { data: target, stride: band.width, left: band.left, top: 0, width: band.width, height };
}

function clampByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
