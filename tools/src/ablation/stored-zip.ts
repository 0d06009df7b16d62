import { IvitError } from '@ivit/program';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;

/**
 * Entries of a zip whose files are stored, not compressed, by name. For archives of our own material: no zip64, no
 * encryption, no comment behind the archive.
 *
 * @throws IvitError E_ZIP
 */
export function readStoredZip(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - END_BYTES;
  if (end < 0 || view.getUint32(end, true) !== END_SIGNATURE) {
    throw new IvitError('E_ZIP', 'The archive has no end record', {
      hint: 'It must be a plain zip without a comment.',
    });
  }
  const entries = new Map<string, Uint8Array>();
  const decoder = new TextDecoder();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY_SIGNATURE) {
      throw new IvitError('E_ZIP', `There is no directory entry at byte ${at}`);
    }
    const [method, size] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true)];
    const nameLength = view.getUint16(at + 28, true);
    const name = decoder.decode(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength));
    if (method !== 0) throw new IvitError('E_ZIP', `${name} is compressed`, { hint: 'Store the files.' });
    const local = view.getUint32(at + 42, true);
    if (local + LOCAL_BYTES > end) throw new IvitError('E_ZIP', `${name} lies outside the archive`);
    const start = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + size > end) throw new IvitError('E_ZIP', `${name} lies outside the archive`);
    entries.set(name, bytes.subarray(start, start + size));
    at += ENTRY_BYTES + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}
