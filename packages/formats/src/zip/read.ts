import { IvitError } from '@ivit/program';
import { quoteName } from '../json/cursor.js';
import { crc32 } from './crc32.js';
import { findDirectory } from './directory.js';
import { type Occupied, readEntries } from './entries.js';
import { inflateExactly } from './inflate.js';
import { DAMAGED, ODD, type ReadZipOptions, type ZipArchive, type ZipEntry, type ZipRefuse } from './types.js';

const DEFAULT_ENTRIES = 100_000;
const LEAST_INFLATED_BYTES = 64 * 2 ** 20;
const INFLATED_RATIO = 20;

function checkOverlaps(occupied: readonly Occupied[], refuse: ZipRefuse): void {
  const ordered = [...occupied].sort((a, b) => a.header - b.header);
  for (let at = 1; at < ordered.length; at += 1) {
    const { end, entry: before } = ordered[at - 1] as Occupied;
    const { header, entry } = ordered[at] as Occupied;
    if (header >= end) continue;
    const message = `${quoteName(entry.name)} begins at byte ${header}, inside ${quoteName(before.name)}, which ends at ${end}`;
    refuse('E_ZIP_OVERLAP', message, header, ODD);
  }
}

function indexEntries(occupied: readonly Occupied[], refuse: ZipRefuse): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  for (const { entry, header } of occupied) {
    if (entries.has(entry.name)) {
      refuse('E_ZIP_DUPLICATE', `the archive has two files ${quoteName(entry.name)}`, header, ODD);
    }
    entries.set(entry.name, entry);
  }
  for (const name of [...entries.keys()]) if (name.endsWith('/')) entries.delete(name);
  return entries;
}

/**
 * Reads the directory of a ZIP archive from memory: stored and deflated files, 64-bit sizes, data descriptors. Directory,
 * local headers and descriptors must agree in every field; files do not overlap; names are plain relative paths, each
 * once. Time and memory are bounded by the archive's size and by `limits`.
 *
 * @throws IvitError `E_ZIP_…`, with the byte concerned.
 */
export function readZip(bytes: Uint8Array, options: ReadZipOptions = {}): ZipArchive {
  const place = options.where ?? 'archive';
  const refuse: ZipRefuse = (code, message, at, hint) => {
    throw new IvitError(code, message, { where: `${place}, byte ${at}`, hint });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const span = findDirectory(view, options.limits?.entries ?? DEFAULT_ENTRIES, refuse);
  const occupied = readEntries(bytes, view, span, refuse);
  checkOverlaps(occupied, refuse);
  const entries = indexEntries(occupied, refuse);
  const allowance = options.limits?.inflatedBytes ?? Math.max(LEAST_INFLATED_BYTES, INFLATED_RATIO * bytes.length);
  let inflated = 0;

  function inflate(entry: ZipEntry): Uint8Array {
    const shown = quoteName(entry.name);
    inflated += entry.size;
    if (inflated > allowance) {
      const message = `${shown} would unpack to ${entry.size} bytes, and the archive to more than ${allowance}`;
      refuse('E_ZIP_LIMIT', message, entry.offset, ODD);
    }
    const content = inflateExactly(bytes.subarray(entry.offset, entry.offset + entry.packed), entry.size);
    if (content !== undefined) return content;
    const message = `${shown} is no deflate data of ${entry.size} bytes`;
    return refuse('E_ZIP_DEFLATE', message, entry.offset, DAMAGED);
  }

  function read(entry: ZipEntry): Uint8Array {
    const content =
      entry.method === 8 ? inflate(entry) : new Uint8Array(bytes.buffer, bytes.byteOffset + entry.offset, entry.size);
    if (crc32(content) !== entry.crc) {
      refuse(
        'E_ZIP_CRC',
        `the content of ${quoteName(entry.name)} does not have the CRC-32 it should`,
        entry.offset,
        DAMAGED,
      );
    }
    return content;
  }

  return { entries, read };
}
