import { decodeImage, preprocess } from '@ivit/image';
import { type InputDescription, sha256Hex, throwIfAborted } from '@ivit/program';
import { type CalibrationPhoto, chooseCalibration } from '@ivit/quantize';

/** Photos by name, read when their turn comes. */
export interface PhotoShelf {
  readonly names: readonly string[];
  /** What errors call a photo. */
  where(name: string): string;
  read(name: string): Promise<Uint8Array>;
}

export interface CalibrationOptions {
  readonly image: InputDescription;
  readonly count: number;
  readonly seed: number | undefined;
  readonly maxPixels: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onPhoto: (done: number, total: number) => void;
}

/**
 * Chooses calibration photos and makes them the model's pixels. A photo that cannot be decoded stops it: leaving one out
 * silently would make another model.
 *
 * @throws E_CALIBRATION_EMPTY, E_CALIBRATION_COUNT, E_ABORTED, what reading throws, the codes of `@ivit/image`
 */
export async function prepareCalibration(shelf: PhotoShelf, options: CalibrationOptions): Promise<CalibrationPhoto[]> {
  const { image, count, seed, maxPixels, signal, onPhoto } = options;
  const names = chooseCalibration(shelf.names, count, seed);
  const photos: CalibrationPhoto[] = [];
  for (const [index, name] of names.entries()) {
    throwIfAborted(signal, 'Reading the photos');
    onPhoto(index, names.length);
    const bytes = await shelf.read(name);
    const decoding = {
      where: shelf.where(name),
      ...(maxPixels === undefined ? {} : { maxPixels }),
      ...(signal === undefined ? {} : { signal }),
    };
    const pixels = preprocess(await decodeImage(bytes, decoding), image);
    photos.push({ name, sha256: sha256Hex([bytes]), pixels });
  }
  return photos;
}
