import { quoteName } from '../json/cursor.js';
import { type DirectorySpan, MAX16, MAX32, uint64 } from './directory.js';
import { nameFault } from './names.js';
import { DAMAGED, ODD, type ZipEntry, type ZipRefuse } from './types.js';

const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const ZIP64_FIELD = 0x0001;

const FLAG_ENCRYPTED = 1 | (1 << 6) | (1 << 13);
const FLAG_PATCHED = 1 << 5;
const FLAG_DESCRIPTOR = 1 << 3;

/** An entry as the directory states it. */
interface Stated extends Omit<ZipEntry, 'offset'> {
  readonly flags: number;
  readonly nameBytes: Uint8Array;
  /** First byte of its local header. */
  readonly header: number;
  /** Byte of its directory record, for errors. */
  readonly at: number;
}

/** What each entry occupies: local header to the end of its content and descriptor. */
export interface Occupied {
  readonly entry: ZipEntry;
  readonly header: number;
  readonly end: number;
}

/** The 64-bit sizes and offset that stand in an extra field for those that hold their maximum, in that order. */
function readZip64(
  view: DataView,
  start: number,
  length: number,
  wanted: number,
  refuse: ZipRefuse,
): readonly number[] {
  let at = start;
  while (at + 4 <= start + length) {
    const size = view.getUint16(at + 2, true);
    const data = at + 4;
    if (data + size > start + length) break;
    if (view.getUint16(at, true) === ZIP64_FIELD) {
      if (size < 8 * wanted) break;
      return Array.from({ length: wanted }, (_, index) => uint64(view, data + 8 * index));
    }
    at = data + size;
  }
  return wanted === 0 ? [] : refuse('E_ZIP_FORMAT', 'a 64-bit size is missing from the extra field', start, DAMAGED);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function readName(bytes: Uint8Array, at: number, refuse: ZipRefuse): string {
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('E_ZIP_NAME', 'the name of a file is no UTF-8', at, ODD);
  }
  const fault = nameFault(name);
  if (fault !== undefined) refuse('E_ZIP_NAME', `the name ${quoteName(name)} is refused: ${fault}`, at, ODD);
  return name;
}

/** One record of the directory; `next` is the byte behind it. */
function readStated(view: DataView, bytes: Uint8Array, at: number, end: number, refuse: ZipRefuse) {
  if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL_SIGNATURE) {
    refuse('E_ZIP_FORMAT', 'there is no directory record where one is due', at, DAMAGED);
  }
  const nameLength = view.getUint16(at + 28, true);
  const extraLength = view.getUint16(at + 30, true);
  const next = at + CENTRAL_BYTES + nameLength + extraLength + view.getUint16(at + 32, true);
  if (next > end) refuse('E_ZIP_TRUNCATED', 'a directory record runs out of the directory', at, DAMAGED);
  const nameBytes = bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength);
  const name = readName(nameBytes, at, refuse);
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  if ((flags & FLAG_ENCRYPTED) !== 0) refuse('E_ZIP_UNSUPPORTED', `${quoteName(name)} is encrypted`, at, 'Decrypt it.');
  if ((flags & FLAG_PATCHED) !== 0 || (method !== 0 && method !== 8)) {
    const message = `${quoteName(name)} is packed by method ${method}`;
    refuse('E_ZIP_UNSUPPORTED', message, at, 'Stored and deflated files are read: save the checkpoint again.');
  }
  const fields = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
  const disk = view.getUint16(at + 34, true);
  const large = fields.filter((field) => field === MAX32).length;
  const wide = readZip64(view, at + CENTRAL_BYTES + nameLength, extraLength, large, refuse);
  let used = 0;
  const [size = 0, packed = 0, header = 0] = fields.map((field) => {
    if (field !== MAX32) return field;
    used += 1;
    return wide[used - 1] as number;
  });
  if (disk !== 0 && disk !== MAX16)
    refuse('E_ZIP_UNSUPPORTED', 'the archive spans several files', at, 'Join its parts.');
  if (method === 0 && size !== packed) {
    refuse('E_ZIP_FORMAT', `${quoteName(name)} is stored as ${packed} bytes but has ${size}`, at, DAMAGED);
  }
  const crc = view.getUint32(at + 16, true);
  const stated: Stated = { name, nameBytes, flags, method: method === 0 ? 0 : 8, crc, size, packed, header, at };
  return { stated, next };
}

/** Bytes of the descriptor behind the content: 16 or, with 64-bit sizes, 24; it repeats what the directory states. */
function descriptorBytes(view: DataView, at: number, limit: number, stated: Stated): number | undefined {
  if (at + 16 > limit || view.getUint32(at, true) !== DESCRIPTOR_SIGNATURE) return undefined;
  if (view.getUint32(at + 4, true) !== stated.crc) return undefined;
  if (view.getUint32(at + 8, true) === stated.packed && view.getUint32(at + 12, true) === stated.size) {
    // A 64-bit descriptor of an empty file begins with the same bytes.
    return stated.size > 0 ||
      at + 24 > limit ||
      view.getUint32(at + 16, true) !== 0 ||
      view.getUint32(at + 20, true) !== 0
      ? 16
      : 24;
  }
  if (at + 24 > limit) return undefined;
  return uint64(view, at + 8) === stated.packed && uint64(view, at + 16) === stated.size ? 24 : undefined;
}

/** Follows an entry to its local header, which must say the same. */
function locate(view: DataView, bytes: Uint8Array, stated: Stated, limit: number, refuse: ZipRefuse): Occupied {
  const { header, name, nameBytes, flags, method, crc, size, packed } = stated;
  const shown = quoteName(name);
  if (header + LOCAL_BYTES > limit || view.getUint32(header, true) !== LOCAL_SIGNATURE) {
    refuse('E_ZIP_FORMAT', `there is no local header of ${shown} at ${header}`, stated.at, DAMAGED);
  }
  const nameLength = view.getUint16(header + 26, true);
  const extraLength = view.getUint16(header + 28, true);
  const offset = header + LOCAL_BYTES + nameLength + extraLength;
  const end = offset + packed;
  if (end > limit) refuse('E_ZIP_TRUNCATED', `${shown} ends at byte ${end}, behind the files`, stated.at, DAMAGED);
  const localName = bytes.subarray(header + LOCAL_BYTES, header + LOCAL_BYTES + nameLength);
  const fields = [view.getUint32(header + 22, true), view.getUint32(header + 18, true)];
  const large = fields.filter((field) => field === MAX32).length;
  const wide = readZip64(view, header + LOCAL_BYTES + nameLength, extraLength, large, refuse);
  let used = 0;
  const [localSize, localPacked] = fields.map((field) => (field === MAX32 ? wide[used++] : field));
  const described = (flags & FLAG_DESCRIPTOR) !== 0;
  const agrees = (local: number | undefined, ours: number): boolean => local === ours || (described && local === 0);
  const same =
    sameBytes(localName, nameBytes) &&
    view.getUint16(header + 6, true) === flags &&
    view.getUint16(header + 8, true) === method &&
    agrees(view.getUint32(header + 14, true), crc) &&
    agrees(localPacked, packed) &&
    agrees(localSize, size);
  if (!same) {
    refuse('E_ZIP_MISMATCH', `the local header of ${shown} contradicts the directory`, header, `${DAMAGED} ${ODD}`);
  }
  let behind = end;
  if (described) {
    const length = descriptorBytes(view, end, limit, stated);
    if (length === undefined) {
      refuse('E_ZIP_MISMATCH', `the descriptor behind ${shown} contradicts the directory`, end, `${DAMAGED} ${ODD}`);
    }
    behind += length;
  }
  return { entry: { name, method, crc, size, packed, offset }, header, end: behind };
}

/**
 * Reads the directory and every local header.
 *
 * @throws IvitError `E_ZIP_…`
 */
export function readEntries(bytes: Uint8Array, view: DataView, span: DirectorySpan, refuse: ZipRefuse): Occupied[] {
  const occupied: Occupied[] = [];
  const end = span.offset + span.size;
  let at = span.offset;
  for (let index = 0; index < span.entries; index += 1) {
    const { stated, next } = readStated(view, bytes, at, end, refuse);
    occupied.push(locate(view, bytes, stated, span.offset, refuse));
    at = next;
  }
  if (at !== end) refuse('E_ZIP_FORMAT', `${end - at} bytes of the directory belong to no record`, at, DAMAGED);
  return occupied;
}
