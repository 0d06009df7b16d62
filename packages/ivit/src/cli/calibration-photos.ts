import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage, preprocess } from '@ivit/image';
import { type InputDescription, IvitError } from '@ivit/program';
import { type CalibrationPhoto, chooseCalibration } from '@ivit/quantize';
import { throwIfAborted } from '../abort.js';
import { readError } from '../node/errors.js';

export interface CalibrationOptions {
  readonly image: InputDescription;
  readonly count: number;
  readonly seed: number | undefined;
  readonly maxPixels: number | undefined;
  readonly signal: AbortSignal;
  readonly onPhoto: (done: number, total: number) => void;
}

/** PNG and JPEG files of a folder, by name. @throws E_READ, E_CALIBRATION_EMPTY */
async function listPhotos(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw readError(error, folder);
  });
  const names = entries.filter((entry) => !entry.isDirectory() && /\.(png|jpe?g)$/i.test(entry.name));
  if (names.length === 0) {
    throw new IvitError('E_CALIBRATION_EMPTY', 'The folder holds no photos', {
      where: folder,
      hint: 'Give 16 to 64 PNG or JPEG files of the kind the model will see; labels are not needed.',
    });
  }
  return names.map((entry) => entry.name);
}

/**
 * Chooses calibration photos of a folder and makes them the model's pixels. A photo that cannot be decoded stops it:
 * leaving one out silently would make another model.
 *
 * @throws E_READ, E_CALIBRATION_EMPTY, E_ABORTED, the codes of `@ivit/image`
 */
export async function readCalibrationPhotos(folder: string, options: CalibrationOptions): Promise<CalibrationPhoto[]> {
  const { image, count, seed, maxPixels, signal, onPhoto } = options;
  const names = chooseCalibration(await listPhotos(folder), count, seed);
  const photos: CalibrationPhoto[] = [];
  for (const [index, name] of names.entries()) {
    throwIfAborted(signal);
    onPhoto(index, names.length);
    const path = join(folder, name);
    const bytes = await readFile(path).catch((error: unknown) => {
      throw readError(error, path);
    });
    const pixels = preprocess(await decodeImage(bytes, { where: path, maxPixels, signal }), image);
    photos.push({ name, sha256: createHash('sha256').update(bytes).digest('hex'), pixels });
  }
  return photos;
}
