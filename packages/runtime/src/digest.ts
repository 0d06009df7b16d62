import { sha256Hex as digestHex } from '@ivit/program';

/** sha256 of bytes, 64 hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return digestHex([bytes]);
}
