import { IvitError } from '@ivit/program';
import { quoteName } from '../json/cursor.js';
import type { ZipArchive, ZipEntry } from '../zip/types.js';

const DAMAGED = 'The file is damaged or no checkpoint: get it again and compare its sha256 with the one published.';

/** The folder of an archive that `torch.save` wrote. */
export interface TorchArchive {
  readonly pickle: ZipEntry;
  readonly zip: ZipArchive;
  /** The file `data/KEY`. */
  readonly storage: (key: string) => ZipEntry | undefined;
}

function refuse(code: string, message: string, where: string, hint: string): never {
  throw new IvitError(code, message, { where, hint });
}

/** A short text file of the archive. */
function readText(zip: ZipArchive, name: string, where: string): string | undefined {
  const entry = zip.entries.get(name);
  if (entry === undefined) return undefined;
  if (entry.size > 64) refuse('E_TORCH_ARCHIVE', `${quoteName(name)} has ${entry.size} bytes`, where, DAMAGED);
  return String.fromCharCode(...zip.read(entry)).trim();
}

/**
 * Finds the one folder with a `data.pkl`.
 *
 * @throws IvitError `E_TORCH_ARCHIVE`, `E_TORCH_SCRIPT`, `E_TORCH_BYTE_ORDER`, `E_TORCH_VERSION`, `E_ZIP_…`
 */
export function openArchive(zip: ZipArchive, where: string): TorchArchive {
  const pickles = [...zip.entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    const names = [...zip.entries.keys()].slice(0, 5).map(quoteName).join(', ');
    const message = `the archive has ${pickles.length} files FOLDER/data.pkl instead of one; it holds ${names || 'nothing'}`;
    return refuse('E_TORCH_ARCHIVE', message, where, 'This is no checkpoint of torch.save: name the file that is.');
  }
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  if (zip.entries.has(`${folder}constants.pkl`)) {
    const hint = 'In Python: torch.save(torch.jit.load(FILE).state_dict(), OUT).';
    refuse('E_TORCH_SCRIPT', 'this is a TorchScript program, not a checkpoint', where, hint);
  }
  const byteOrder = readText(zip, `${folder}byteorder`, where) ?? 'little';
  if (byteOrder !== 'little') {
    const hint = 'Only little-endian checkpoints are read: load it and save it again on a little-endian machine.';
    refuse('E_TORCH_BYTE_ORDER', `the byte order of the checkpoint is ${quoteName(byteOrder)}`, where, hint);
  }
  const version = readText(zip, `${folder}version`, where);
  if (version !== undefined && !/^\d{1,4}$/.test(version)) {
    refuse('E_TORCH_VERSION', `the version of the archive is ${quoteName(version)}`, where, DAMAGED);
  }
  return { pickle, zip, storage: (key) => zip.entries.get(`${folder}data/${key}`) };
}
