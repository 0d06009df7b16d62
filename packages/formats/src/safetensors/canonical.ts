import { parseCanonical } from '../json/canonical.js';
import { MAX_KEY_BYTES, RESERVED_KEYS } from '../json/cursor.js';
import type { Json } from '../json/tree.js';
import { isSafetensorsDType, tensorByteLength } from './dtypes.js';
import type { HeaderEntry, SafetensorsHeader, SafetensorsLimits } from './types.js';

/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const MAX_NAME_UNITS = Math.floor(MAX_KEY_BYTES / 3); // float-ok: rounded down

/**
 * A header whose JSON the engine writes back unchanged, as files of this package and of the reference implementation have it;
 * undefined if anything is wrong or written in another way, for the strict reader to read or to refuse. A program's header has
 * thousands of tokens, and the strict reader walks them in code that is still cold. `at` of the entries is 0.
 */
export function canonicalHeader(header: Uint8Array, limits: SafetensorsLimits): SafetensorsHeader | undefined {
  let end = header.length;
  while (end > 0 && header[end - 1] === 0x20) end -= 1; // what aligns the data
  const text = decodeStrictly(header.subarray(0, end));
  // Only such an escape makes half of a surrogate pair.
  if (text === undefined || text.includes('\\u')) return undefined;
  const tree = parseCanonical(text);
  if (!isObject(tree)) return undefined;
  const metadata: Record<string, string> = Object.create(null);
  const entries: HeaderEntry[] = [];
  for (const name of Object.keys(tree)) {
    const value = tree[name];
    if (name === '__metadata__') {
      if (!isObject(value) || !copyMetadata(value, metadata, limits)) return undefined;
    } else {
      const entry = entries.length < limits.tensors ? readEntry(name, value, limits) : undefined;
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
  }
  return { metadata, entries };
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

type Members = { readonly [key: string]: Json };

function isObject(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(name: string): boolean {
  return name.length <= MAX_NAME_UNITS && !RESERVED_KEYS.has(name);
}

function copyMetadata(source: Members, metadata: Record<string, string>, limits: SafetensorsLimits): boolean {
  const keys = Object.keys(source);
  if (keys.length > limits.metadataEntries) return false;
  for (const key of keys) {
    const text = source[key];
    if (typeof text !== 'string' || !isName(key)) return false;
    metadata[key] = text;
  }
  return true;
}

function isSizes(value: Json | undefined, rank: number): value is readonly number[] {
  if (!Array.isArray(value) || value.length > rank) return false;
  return value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function readEntry(name: string, value: Json | undefined, limits: SafetensorsLimits): HeaderEntry | undefined {
  if (name === '' || !isName(name) || !isObject(value) || Object.keys(value).length !== 3) return undefined;
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !isSafetensorsDType(dtype)) return undefined;
  if (!isSizes(shape, limits.rank) || !isSizes(offsets, limits.rank) || offsets.length !== 2) return undefined;
  const [begin, end] = offsets as readonly [number, number];
  if (end < begin || tensorByteLength(dtype, shape) !== end - begin) return undefined;
  return { name, dtype, shape, begin, end, at: 0 };
}
