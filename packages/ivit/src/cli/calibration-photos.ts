import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IvitError } from '@ivit/program';
import type { PhotoShelf } from '../calibration-photos.js';
import { readError } from '../node/errors.js';

/** PNG and JPEG files of a folder, by name. @throws E_READ, E_CALIBRATION_EMPTY */
export async function photoFolder(folder: string): Promise<PhotoShelf> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw readError(error, folder);
  });
  const photos = entries.filter((entry) => !entry.isDirectory() && /\.(png|jpe?g)$/i.test(entry.name));
  if (photos.length === 0) {
    throw new IvitError('E_CALIBRATION_EMPTY', 'The folder holds no photos', {
      where: folder,
      hint: 'Give 16 to 64 PNG or JPEG files of the kind the model will see; labels are not needed.',
    });
  }
  return {
    names: photos.map(({ name }) => name),
    where: (name) => join(folder, name),
    read: (name) =>
      readFile(join(folder, name)).catch((error: unknown) => {
        throw readError(error, join(folder, name));
      }),
  };
}
