import { IvitError } from '@ivit/program';
import { sha256Hex } from './digest.js';

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** 43 base64 digits and one `=` to 64 hex digits; undefined if a digit is none. */
function base64ToHex(text: string): string | undefined {
  let hex = '';
  let bits = 0;
  let held = 0;
  for (const digit of text.replace(/=$/, '')) {
    const value = BASE64.indexOf(digit);
    if (value < 0) return undefined;
    bits = (bits << 6) | value;
    held += 6;
    // At most 11 bits are held at once.
    while (held >= 4) {
      held -= 4;
      hex += ((bits >> held) & 15).toString(16);
    }
    bits &= (1 << held) - 1;
  }
  return hex;
}

/**
 * The 64 hex digits that an integrity string asks for: `sha256-` and hex digits, or base64 as in HTML's `integrity`.
 * @throws E_INTEGRITY if it is neither
 */
export function parseIntegrity(integrity: string): string {
  const digest = integrity.startsWith('sha256-') ? integrity.slice('sha256-'.length) : '';
  if (/^[0-9a-fA-F]{64}$/.test(digest)) return digest.toLowerCase();
  const hex = /^[A-Za-z0-9+/]{43}=?$/.test(digest) ? base64ToHex(digest) : undefined;
  if (hex !== undefined && hex.length === 64) return hex;
  throw new IvitError('E_INTEGRITY', `"${integrity}" is no integrity string`, {
    where: 'option integrity',
    hint: 'Write sha256- and the digest in hex or base64.',
  });
}

/** @throws E_INTEGRITY if the sha256 of the bytes is not the one asked for */
export function checkIntegrity(bytes: Uint8Array, integrity: string, where: string): void {
  const expected = parseIntegrity(integrity);
  const actual = sha256Hex(bytes);
  if (actual !== expected) {
    throw new IvitError('E_INTEGRITY', `The file's sha256 is ${actual}, expected ${expected}`, {
      where,
      hint: 'The file was changed or damaged, or the integrity string belongs to another version.',
    });
  }
}
