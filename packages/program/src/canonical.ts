import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { littleEndianBytes } from './dtype.js';
import type { Program } from './types.js';

/**
 * JSON with sorted keys, integers only, no white space. `undefined` members are left out.
 *
 * @throws RangeError for a number that is no safe integer
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => canonicalJson(entry)).join(',')}]`;
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`canonical JSON holds integers only, not ${value}`);
    return Object.is(value, -0) ? '0' : String(value);
  }
  if (typeof value === 'object' && value !== null) {
    const members: string[] = [];
    for (const [key, member] of Object.entries(value).sort(byKey)) {
      if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
    }
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Orders entries by the code units of their keys, whatever the locale. */
function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  if (a[0] === b[0]) return 0;
  return a[0] < b[0] ? -1 : 1;
}

/**
 * The bytes that identify a program: canonical JSON of spec, values, ops and output, then each constant by name
 * (canonical JSON of its name, dtype and shape, then its little-endian data). Labels and provenance are not in it.
 */
export function* canonicalChunks(program: Program): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const { spec, values, ops, output } = program;
  yield encoder.encode(canonicalJson({ spec, values, ops, output }));
  for (const [name, constant] of Object.entries(program.constants).sort(byKey)) {
    yield encoder.encode(canonicalJson({ name, dtype: constant.dtype, shape: constant.shape }));
    yield littleEndianBytes(constant.data);
  }
}

/** {@link canonicalChunks} joined. */
export function canonicalBytes(program: Program): Uint8Array {
  const chunks = [...canonicalChunks(program)];
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** sha256 (lower-case hex) of the canonical bytes. */
export function modelId(program: Program): string {
  const hash = sha256.create();
  for (const chunk of canonicalChunks(program)) hash.update(chunk);
  return bytesToHex(hash.digest());
}
