import { IvitError, sha256Hex } from '@ivit/program';
import { sha1 } from '@noble/hashes/legacy.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** The digest in the form of `expected`: 64 hex digits = sha256, 40 = sha1 of the git blob. */
function digestLike(expected: string, bytes: Uint8Array): string {
  if (expected.length === 64) return sha256Hex([bytes]);
  return bytesToHex(
    sha1
      .create()
      .update(utf8ToBytes(`blob ${bytes.length}\0`))
      .update(bytes)
      .digest(),
  );
}

/** Whether the bytes have the digest. */
export function hasDigest(bytes: Uint8Array, expected: string): boolean {
  return digestLike(expected, bytes) === expected;
}

/** @throws E_HASH if the bytes are not those that the hub names */
export function assertDigest(bytes: Uint8Array, expected: string, where: string): void {
  const actual = digestLike(expected, bytes);
  if (actual === expected) return;
  const kind = expected.length === 64 ? 'sha256' : 'git sha1';
  throw new IvitError('E_HASH', `The downloaded file's ${kind} is ${actual}, the hub names ${expected}`, {
    where,
    hint: 'What arrived was thrown away; try again.',
  });
}
