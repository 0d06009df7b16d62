import { littleEndianBytes } from './dtype.js';
import { sha256Hex } from './sha256.js';
import type { Constant, Program } from './types.js';

/**
 * JSON with sorted keys, integers only, no white space. `undefined` members are left out.
 *
 * @throws RangeError for a number that is no safe integer
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`canonical JSON holds integers only, not ${value}`);
    return Object.is(value, -0) ? '0' : String(value);
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  let text = '';
  if (Array.isArray(value)) {
    for (const entry of value) text += `${text === '' ? '' : ','}${canonicalJson(entry)}`;
    return `[${text}]`;
  }
  for (const key of sortedKeys(value)) {
    const member: unknown = Reflect.get(value, key);
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/** In the order of their code units, whatever the locale: what `sort` does without a comparison of one's own. */
function sortedKeys(value: object): string[] {
  return Object.keys(value).sort();
}

/**
 * The bytes that identify a program: canonical JSON of spec, values, ops and output, then each constant by name
 * (canonical JSON of its name, dtype and shape, then its little-endian data). Labels and provenance are not in it.
 */
export function* canonicalChunks(program: Program): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const { spec, values, ops, output } = program;
  yield encoder.encode(canonicalJson({ spec, values, ops, output }));
  for (const name of sortedKeys(program.constants)) {
    const constant = program.constants[name] as Constant;
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
  return sha256Hex(canonicalChunks(program));
}
