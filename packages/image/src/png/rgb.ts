import { GREY, GREY_ALPHA, PALETTE, type PngFile, TRUE_COLOR, TRUE_COLOR_ALPHA } from './chunks.js';
import type { Pass } from './scanlines.js';

/** Writes the pixels of one unfiltered row at their places in the image. `y` counts rows of the pass. */
export type RowWriter = (data: Uint8Array, at: number, pass: Pass, y: number, target: Uint8Array) => void;

/** Samples per pixel. */
export function channelsOf(colorType: number): number {
  return colorType === TRUE_COLOR ? 3 : colorType === TRUE_COLOR_ALPHA ? 4 : colorType === GREY_ALPHA ? 2 : 1;
}

/** Levels of grey 1, 2 and 4 bits deep are spread over 0 … 255: times 255, 85, 17. */
const GREY_SCALE: ReadonlyMap<number, number> = new Map([
  [1, 255],
  [2, 85],
  [4, 17],
]);

/**
 * The writer for a file, giving what Pillow's `convert('RGB')` gives: alpha and transparent colors are dropped (not
 * blended), 16-bit samples keep their high byte, palette entries that do not exist are black.
 */
export function rowWriter(file: PngFile): RowWriter {
  if (file.depth < 8 || file.colorType === PALETTE) return tableWriter(file);
  const isGrey = file.colorType === GREY || file.colorType === GREY_ALPHA;
  const sampleBytes = file.depth >> 3;
  const pixelBytes = channelsOf(file.colorType) * sampleBytes;
  const green = isGrey ? 0 : sampleBytes;
  return (data, at, pass, y, target) => {
    let to = ((pass.top + y * pass.stepY) * file.width + pass.left) * 3;
    const step = pass.stepX * 3;
    let from = at;
    for (let x = 0; x < pass.width; x++) {
      target[to] = data[from] as number;
      target[to + 1] = data[from + green] as number;
      target[to + 2] = data[from + green + green] as number;
      from += pixelBytes;
      to += step;
    }
  };
}

/** Pixels of 1, 2, 4 or 8 bits that are looked up in a table of colors. */
function tableWriter(file: PngFile): RowWriter {
  const { depth } = file;
  const colors = new Uint8Array(768);
  if (file.colorType === PALETTE) colors.set(file.palette);
  else {
    const scale = GREY_SCALE.get(depth) ?? 1;
    for (let level = 0; level < 1 << depth; level++) colors.fill(level * scale, level * 3, level * 3 + 3);
  }
  const mask = (1 << depth) - 1;
  return (data, at, pass, y, target) => {
    let to = ((pass.top + y * pass.stepY) * file.width + pass.left) * 3;
    const step = pass.stepX * 3;
    let from = at;
    let shift = 8;
    for (let x = 0; x < pass.width; x++) {
      shift -= depth;
      const color = (((data[from] as number) >> shift) & mask) * 3;
      target[to] = colors[color] as number;
      target[to + 1] = colors[color + 1] as number;
      target[to + 2] = colors[color + 2] as number;
      to += step;
      if (shift === 0) {
        shift = 8;
        from++;
      }
    }
  };
}
