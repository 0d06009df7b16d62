import { IvitError } from '@ivit/program';
import { expect } from 'vitest';

/** A file from its raw parts, however wrong: header text or bytes, data, and the header length it claims. */
export function rawFile(header: string | Uint8Array, data: Uint8Array | number = 0, claimed?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const body = typeof data === 'number' ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + text.length + body.length);
  new DataView(file.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  file.set(text, 8);
  file.set(body, 8 + text.length);
  return file;
}

/** Runs `action`, which must throw an IvitError, and gives it back. */
export function refusal(action: () => unknown): IvitError {
  try {
    action();
  } catch (error) {
    if (IvitError.isInstance(error)) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
}
