import { corrupt } from '../error.js';
import { divCeil } from '../integer.js';

/** One image, or one of the seven passes of an interlaced one (8.2 of the PNG specification). */
export interface Pass {
  readonly width: number;
  readonly height: number;
  /** Bytes of a row without its filter byte. */
  readonly rowBytes: number;
  /** Where its pixels go: `left + x * stepX`, `top + y * stepY`. */
  readonly left: number;
  readonly top: number;
  readonly stepX: number;
  readonly stepY: number;
}

/** left, top, and the steps as shifts, of the seven passes of Adam7. */
const ADAM7 = [
  [0, 0, 3, 3],
  [4, 0, 3, 3],
  [0, 4, 2, 3],
  [2, 0, 2, 2],
  [0, 2, 1, 2],
  [1, 0, 1, 1],
  [0, 1, 0, 1],
] as const;

/** The passes of an image that have pixels. `bits` per pixel. */
export function passesOf(width: number, height: number, bits: number, interlaced: boolean): Pass[] {
  const layout = interlaced ? ADAM7 : ([[0, 0, 0, 0]] as const);
  const passes: Pass[] = [];
  for (const [left, top, shiftX, shiftY] of layout) {
    if (left >= width || top >= height) continue;
    const passWidth = divCeil(width - left, 1 << shiftX);
    const passHeight = divCeil(height - top, 1 << shiftY);
    // Bits of a row may pass 2^32: * 2^-3 instead of a shift, exact below 2^53.
    const rowBytes = Math.floor((passWidth * bits + 7) * 0.125);
    passes.push({
      width: passWidth,
      height: passHeight,
      rowBytes,
      left,
      top,
      stepX: 1 << shiftX,
      stepY: 1 << shiftY,
    });
  }
  return passes;
}

/**
 * Undoes the filter of one row in place (9.2 of the PNG specification).
 *
 * @param at where the row's bytes begin in `data`; the byte before is its filter
 * @param above where the bytes of the row above begin, or -1 for the first row of a pass
 * @param distance bytes per pixel, at least 1
 */
export function unfilter(
  data: Uint8Array,
  at: number,
  above: number,
  rowBytes: number,
  distance: number,
  where: string | undefined,
): void {
  const end = at + rowBytes;
  const firstEnd = Math.min(at + distance, end);
  const up = above - at;
  const filter = data[at - 1] as number;
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = firstEnd; i < end; i++) data[i] = (data[i] as number) + (data[i - distance] as number);
      return;
    case 2:
      if (above < 0) return;
      for (let i = at; i < end; i++) data[i] = (data[i] as number) + (data[i + up] as number);
      return;
    case 3:
      if (above < 0) {
        for (let i = firstEnd; i < end; i++) data[i] = (data[i] as number) + ((data[i - distance] as number) >> 1);
        return;
      }
      for (let i = at; i < firstEnd; i++) data[i] = (data[i] as number) + ((data[i + up] as number) >> 1);
      for (let i = firstEnd; i < end; i++) {
        data[i] = (data[i] as number) + (((data[i - distance] as number) + (data[i + up] as number)) >> 1);
      }
      return;
    case 4:
      if (above < 0) {
        // With nothing above, the predictor is the pixel to the left.
        for (let i = firstEnd; i < end; i++) data[i] = (data[i] as number) + (data[i - distance] as number);
        return;
      }
      for (let i = at; i < firstEnd; i++) data[i] = (data[i] as number) + (data[i + up] as number);
      for (let i = firstEnd; i < end; i++) {
        const left = data[i - distance] as number;
        const top = data[i + up] as number;
        const corner = data[i + up - distance] as number;
        data[i] = (data[i] as number) + paeth(left, top, corner);
      }
      return;
    default:
      throw corrupt(`The PNG image data names the unknown filter ${filter}`, where);
  }
}

/** Whichever of the three is closest to left + top - corner; ties in this order. */
function paeth(left: number, top: number, corner: number): number {
  const toLeft = Math.abs(top - corner);
  const toTop = Math.abs(left - corner);
  const toCorner = Math.abs(left + top - corner - corner);
  if (toLeft <= toTop && toLeft <= toCorner) return left;
  return toTop <= toCorner ? top : corner;
}
