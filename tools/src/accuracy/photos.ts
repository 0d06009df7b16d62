import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IvitError } from '@ivit/program';

export interface Photo {
  readonly path: string;
  /** Path below the folder, with forward slashes. */
  readonly name: string;
  readonly sha256: string;
  /** Class index. */
  readonly label: number;
}

/** Which half of the photos: `tune` those whose sha256 starts with an even byte, `report` the odd ones. */
export type Half = 'tune' | 'report';

export interface PhotoSet {
  readonly photos: readonly Photo[];
  /** Photos that the quantizer has seen. */
  readonly leftOut: number;
  /** Photos of the other half. */
  readonly otherHalf: number;
}

/** Class index by wnid or name. */
export function readClasses(path: string): ReadonlyMap<string, number> {
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const lists: unknown[] = [];
  if (Array.isArray(parsed)) lists.push(parsed);
  else if (typeof parsed === 'object' && parsed !== null) lists.push(...Object.values(parsed));
  const classes = new Map<string, number>();
  for (const list of lists) {
    if (!Array.isArray(list)) continue;
    list.forEach((name: unknown, index) => {
      if (typeof name === 'string' && !classes.has(name)) classes.set(name, index);
    });
  }
  if (classes.size === 0) {
    throw new IvitError('E_CLASSES', 'The file names no classes', {
      where: path,
      hint: 'It must be {"wnid": [...], "label": [...]}, or an array of names, in the order of the logits.',
    });
  }
  return classes;
}

function files(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) return files(folder, name);
    return /\.(jpe?g|png)$/i.test(entry.name) ? [name] : [];
  });
}

function classOf(name: string): string {
  const slash = name.lastIndexOf('/');
  if (slash >= 0) return name.slice(name.lastIndexOf('/', slash - 1) + 1, slash);
  const mark = name.indexOf('_');
  return mark < 0 ? name : name.slice(0, mark);
}

/**
 * The photos below a folder, sorted by name, without those used for calibration. The class of a photo is its folder's
 * name, or the part of its own name before the first `_`.
 *
 * @throws IvitError E_PHOTOS (none left), E_CLASSES (class not in the list)
 */
export function collectPhotos(
  folder: string,
  classes: ReadonlyMap<string, number>,
  calibration: readonly string[],
  half: Half | undefined,
): PhotoSet {
  const seen = new Set(calibration);
  const photos: Photo[] = [];
  let leftOut = 0;
  let otherHalf = 0;
  for (const name of files(folder).sort()) {
    const path = join(folder, name);
    const label = classes.get(classOf(name));
    if (label === undefined) {
      throw new IvitError('E_CLASSES', `'${classOf(name)}' is no class of the list`, { where: path });
    }
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    const odd = Number.parseInt(sha256.slice(0, 2), 16) % 2 === 1;
    if (seen.has(sha256)) leftOut += 1;
    else if (half !== undefined && odd !== (half === 'report')) otherHalf += 1;
    else photos.push({ path, name, sha256, label });
  }
  if (photos.length === 0) {
    throw new IvitError('E_PHOTOS', `No photos to measure (${leftOut} were used for calibration)`, {
      where: folder,
      hint: 'The folder needs .jpg or .png files that the model was not calibrated with.',
    });
  }
  return { photos, leftOut, otherHalf };
}
