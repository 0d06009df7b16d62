import type { InputDescription } from '@ivit/program';

export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The part of a photo that the model sees, in the photo's own pixels: its center, after the shorter side was resized. Only
 * for display; the model's pixels come from `prepare`.
 */
export function seenRegion(width: number, height: number, image: InputDescription | undefined): Region {
  if (image === undefined) return { x: 0, y: 0, width, height };
  const scale = Math.min(width, height) / image.resize;
  const [seenWidth, seenHeight] = [
    Math.min(width, image.crop.width * scale),
    Math.min(height, image.crop.height * scale),
  ];
  return { x: (width - seenWidth) / 2, y: (height - seenHeight) / 2, width: seenWidth, height: seenHeight };
}
