import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IvitError } from 'ivit';
import { systemCode } from './errors.js';
import type { PhotoFile } from './row.js';

/** A photo of the folder and where it is; without size and time where it has gone since its folder was read. */
export interface FoundPhoto extends PhotoFile {
  readonly path: string;
}

interface Entry {
  readonly name: string;
  readonly folder: boolean;
}

/** Photos and folders in a folder, by name (UTF-16 code units). Links to folders are not followed: they may lead in circles. */
async function entriesOf(path: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  // Entry by entry: of a hundred thousand files only the photos' names are held.
  for await (const entry of await opendir(path)) {
    const folder = entry.isDirectory();
    if (folder || /\.(png|jpe?g)$/i.test(entry.name)) entries.push({ name: entry.name, folder });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

interface Place {
  readonly path: string;
  /** Path below the folder that was asked for, with `/`. */
  readonly file: string;
}

/** The photos below a folder, in the order of `compareFiles`. Names only, and those of one folder per level at a time. */
async function* places(path: string, below: string): AsyncGenerator<Place> {
  for (const { name, folder } of await entriesOf(path)) {
    const place = { path: join(path, name), file: `${below}${name}` };
    if (folder) yield* places(place.path, `${place.file}/`);
    else yield place;
  }
}

/** @throws E_READ for a folder that is none or may not be read */
async function* checkedPlaces(folder: string): AsyncGenerator<Place> {
  try {
    yield* places(folder, '');
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    const what = code === 'ENOENT' ? 'There is no such folder' : code === 'ENOTDIR' ? 'It is no folder' : undefined;
    const where = error instanceof Error && 'path' in error ? String(error.path) : folder;
    throw new IvitError('E_READ', what ?? `The folder cannot be read (${code})`, { where, cause: error });
  }
}

/** How many photos there are, for progress. @throws E_READ */
export async function countPhotos(folder: string): Promise<number> {
  let count = 0;
  for await (const _ of checkedPlaces(folder)) count += 1;
  return count;
}

/** The photos (PNG and JPEG by their names) below a folder, in order, each looked at when its turn comes. @throws E_READ */
export async function* walkPhotos(folder: string): AsyncGenerator<FoundPhoto> {
  for await (const { path, file } of checkedPlaces(folder)) {
    const found = await stat(path).catch(() => undefined);
    // A link that leads nowhere, a file deleted meanwhile: it is a row, with the error of reading it.
    const { size = 0, mtime = new Date(0) } = found ?? {};
    yield { path, file, size, modified: mtime.toISOString() };
  }
}
