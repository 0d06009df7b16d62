import { DAMAGED, ODD, type ZipRefuse } from './types.js';

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const MAX_COMMENT = 65535;

/** What 16- and 32-bit fields hold where the 64-bit record holds the number. */
export const MAX16 = 0xffff;
export const MAX32 = 0xffffffff;

/** Where the directory lies, and how many entries it has. */
export interface DirectorySpan {
  readonly offset: number;
  readonly size: number;
  readonly entries: number;
}

/** A 64-bit number; one beyond 2^53 stays far above every size, whatever its last bits. */
export function uint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/** The end record is the last thing in the file, its comment reaching to the very end. */
function findEnd(view: DataView, refuse: ZipRefuse): number {
  const first = Math.max(0, view.byteLength - END_BYTES - MAX_COMMENT);
  for (let at = view.byteLength - END_BYTES; at >= first; at -= 1) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue;
    if (at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  return refuse('E_ZIP_TRUNCATED', 'there is no end-of-directory record', view.byteLength, DAMAGED);
}

/** The 64-bit end record, which a locator right before the end record points to; undefined where there is none. */
function readEnd64(view: DataView, end: number, refuse: ZipRefuse): (DirectorySpan & { at: number }) | undefined {
  const locator = end - LOCATOR_BYTES;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR_SIGNATURE) return undefined;
  const at = locator - END64_BYTES;
  if (uint64(view, locator + 8) !== at || at < 0 || view.getUint32(at, true) !== END64_SIGNATURE) {
    return refuse('E_ZIP_FORMAT', 'the 64-bit end record is not where its locator says', locator, DAMAGED);
  }
  const oneDisk = view.getUint32(locator + 4, true) === 0 && view.getUint32(locator + 16, true) <= 1;
  if (!oneDisk || view.getUint32(at + 16, true) !== 0 || view.getUint32(at + 20, true) !== 0) {
    refuse('E_ZIP_UNSUPPORTED', 'the archive spans several files', at, 'Join its parts, or save the checkpoint again.');
  }
  const entries = uint64(view, at + 32);
  if (uint64(view, at + 4) !== END64_BYTES - 12 || uint64(view, at + 24) !== entries) {
    refuse('E_ZIP_FORMAT', 'the 64-bit end record contradicts itself', at, DAMAGED);
  }
  return { at, entries, size: uint64(view, at + 40), offset: uint64(view, at + 48) };
}

/**
 * Finds the directory. It ends where the end records begin, which end the file; the 32-bit fields agree with the 64-bit
 * ones or hold their maximum.
 *
 * @throws IvitError `E_ZIP_TRUNCATED`, `E_ZIP_FORMAT`, `E_ZIP_UNSUPPORTED`, `E_ZIP_LIMIT`
 */
export function findDirectory(view: DataView, limit: number, refuse: ZipRefuse): DirectorySpan {
  const end = findEnd(view, refuse);
  const end64 = readEnd64(view, end, refuse);
  const small = {
    entries: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
  };
  if (view.getUint32(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== small.entries) {
    refuse(
      'E_ZIP_UNSUPPORTED',
      'the archive spans several files',
      end,
      'Join its parts, or save the checkpoint again.',
    );
  }
  const span = end64 ?? small;
  const agrees = (field: 'entries' | 'size' | 'offset', max: number): boolean =>
    small[field] === span[field] || small[field] === max;
  if (!agrees('entries', MAX16) || !agrees('size', MAX32) || !agrees('offset', MAX32)) {
    refuse('E_ZIP_FORMAT', 'the two end records contradict each other', end, DAMAGED);
  }
  if (span.offset + span.size !== (end64?.at ?? end)) {
    const message = `the directory at ${span.offset} with ${span.size} bytes does not end where the end record begins`;
    refuse('E_ZIP_FORMAT', message, end, `${DAMAGED} ${ODD}`);
  }
  if (span.entries > limit) {
    refuse('E_ZIP_LIMIT', `the archive has ${span.entries} files, above the limit of ${limit}`, end, ODD);
  }
  return { offset: span.offset, size: span.size, entries: span.entries };
}
