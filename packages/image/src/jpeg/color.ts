import type { Headers } from './segments.js';

/** How the samples of a pixel are meant. */
export type ColorSpace = 'grey' | 'rgb' | 'ycc' | 'cmyk' | 'ycck';

/** The color space of a file with this many components: what libjpeg concludes from markers and component numbers. */
export function colorSpaceOf(headers: Headers, ids: readonly number[]): ColorSpace {
  const { adobeTransform } = headers;
  if (ids.length === 1) return 'grey';
  if (ids.length === 4) return adobeTransform === undefined || adobeTransform === 0 ? 'cmyk' : 'ycck';
  if (headers.hasJfif) return 'ycc';
  if (adobeTransform !== undefined) return adobeTransform === 0 ? 'rgb' : 'ycc';
  // The numbers are the letters R, G, B.
  return ids[0] === 0x52 && ids[1] === 0x47 && ids[2] === 0x42 ? 'rgb' : 'ycc';
}

/** Writes a row of RGB pixels from one row of samples per component. */
export type RowConverter = (rows: readonly Uint8Array[], width: number, target: Uint8Array, at: number) => void;

/** Conversions of libjpeg (YCbCr of JFIF) and of Pillow (CMYK, taken as inverted like Adobe's). */
export const ROW_CONVERTERS: Readonly<Record<ColorSpace, RowConverter>> = {
  grey: ([grey], width, target, at) => {
    if (grey === undefined) return;
    let to = at;
    for (let x = 0; x < width; x++) {
      const value = grey[x] as number;
      target[to] = value;
      target[to + 1] = value;
      target[to + 2] = value;
      to += 3;
    }
  },
  rgb: ([red, green, blue], width, target, at) => {
    if (red === undefined || green === undefined || blue === undefined) return;
    let to = at;
    for (let x = 0; x < width; x++) {
      target[to] = red[x] as number;
      target[to + 1] = green[x] as number;
      target[to + 2] = blue[x] as number;
      to += 3;
    }
  },
  ycc: ([luma, cb, cr], width, target, at) => {
    if (luma === undefined || cb === undefined || cr === undefined) return;
    let to = at;
    for (let x = 0; x < width; x++) {
      const y = luma[x] as number;
      const b = (cb[x] as number) - 128;
      const r = (cr[x] as number) - 128;
      // 1.402, 0.34414, 0.71414 and 1.772 times 2^16, rounded.
      target[to] = clampByte(y + ((91881 * r + 32768) >> 16));
      target[to + 1] = clampByte(y + ((-22554 * b - 46802 * r + 32768) >> 16));
      target[to + 2] = clampByte(y + ((116130 * b + 32768) >> 16));
      to += 3;
    }
  },
  cmyk: ([cyan, magenta, yellow, black], width, target, at) => {
    if (cyan === undefined || magenta === undefined || yellow === undefined || black === undefined) return;
    let to = at;
    for (let x = 0; x < width; x++) {
      const light = black[x] as number;
      target[to] = withInk(light, cyan[x] as number);
      target[to + 1] = withInk(light, magenta[x] as number);
      target[to + 2] = withInk(light, yellow[x] as number);
      to += 3;
    }
  },
  ycck: ([luma, cb, cr, black], width, target, at) => {
    if (luma === undefined || cb === undefined || cr === undefined || black === undefined) return;
    let to = at;
    for (let x = 0; x < width; x++) {
      const y = luma[x] as number;
      const b = (cb[x] as number) - 128;
      const r = (cr[x] as number) - 128;
      const light = black[x] as number;
      target[to] = withInk(light, 255 - clampByte(y + ((91881 * r + 32768) >> 16)));
      target[to + 1] = withInk(light, 255 - clampByte(y + ((-22554 * b - 46802 * r + 32768) >> 16)));
      target[to + 2] = withInk(light, 255 - clampByte(y + ((116130 * b + 32768) >> 16)));
      to += 3;
    }
  },
};

/**
 * `light - light * ink / 255`, rounded as in Pillow's CMYK to RGB; `inverted` is 255 - ink, `light` 255 - black.
 * (p + (p >> 8)) >> 8 with p = a * b + 128 is round(a * b / 255) for bytes a, b.
 */
function withInk(light: number, inverted: number): number {
  const product = light * (255 - inverted) + 128;
  return light - ((product + (product >> 8)) >> 8);
}

function clampByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
