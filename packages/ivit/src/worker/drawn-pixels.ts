import { IvitError } from '@ivit/program';
import type { RawImage } from '@ivit/runtime';
import type { DrawnPhoto } from './messages.js';

/** What is used of a canvas without a page. */
interface Canvas {
  getContext(
    kind: '2d',
    settings: { readonly willReadFrequently: boolean; readonly colorSpace: 'srgb' },
  ): {
    drawImage(image: DrawnPhoto, x: number, y: number, width: number, height: number): void;
    getImageData(x: number, y: number, width: number, height: number): RawImage;
  } | null;
}
declare const OffscreenCanvas: (new (width: number, height: number) => Canvas) | undefined;

/**
 * The pixels of an `ImageBitmap` or `VideoFrame`, drawn at its own size in sRGB: RGBA, row by row. Where a pixel is not
 * opaque its color may be off by rounding, since canvases keep colors multiplied by alpha.
 *
 * @throws E_INPUT for an image that was closed, E_READ where there is no canvas
 */
export function drawnPixels(image: DrawnPhoto): RawImage {
  const [width, height] =
    'displayWidth' in image ? [image.displayWidth, image.displayHeight] : [image.width, image.height];
  if (!(width > 0 && height > 0)) {
    throw new IvitError('E_INPUT', 'The image holds no pixels', {
      hint: 'Pass it before it is closed or transferred.',
    });
  }
  const context =
    typeof OffscreenCanvas === 'function'
      ? new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' })
      : null;
  if (context === null) {
    throw new IvitError('E_READ', 'There is no OffscreenCanvas here to read the image with', {
      hint: "Pass the photo's PNG or JPEG bytes, or { width, height, data }.",
    });
  }
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
