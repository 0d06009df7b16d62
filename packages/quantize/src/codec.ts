import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** Typed arrays that a stored state may hold. Bytes are stored little endian, as every engine this runs on keeps them. */
const ARRAYS = {
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  f32: Float32Array,
} as const;
type ArrayName = keyof typeof ARRAYS;
type StoredArray = InstanceType<(typeof ARRAYS)[ArrayName]>;

const HASH_BYTES = 32;
const HEADER_BYTES = HASH_BYTES + 4;

function nameOf(value: StoredArray): ArrayName {
  if (value instanceof Int8Array) return 'i8';
  if (value instanceof Int16Array) return 'i16';
  return value instanceof Int32Array ? 'i32' : 'f32';
}

/** Hex sha256 of chunks, one after the other. */
export function digest(chunks: Iterable<Uint8Array>): string {
  const hash = sha256.create();
  for (const chunk of chunks) hash.update(chunk);
  return bytesToHex(hash.digest());
}

function bytesOf(array: StoredArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/**
 * A tree of plain objects, numbers, strings and typed arrays as bytes:
 * sha256 of the rest, u32 length of the JSON, the JSON (arrays as `{"array":[name, offset, count]}`), their bytes.
 */
export function encodeTree(tree: object): Uint8Array {
  const arrays: StoredArray[] = [];
  let size = 0;
  const json = new TextEncoder().encode(
    JSON.stringify(tree, (_, value: unknown) => {
      if (!isStored(value)) return value;
      arrays.push(value);
      const at = size;
      size += value.byteLength;
      return { array: [nameOf(value), at, value.length] };
    }),
  );
  const bytes = new Uint8Array(HEADER_BYTES + json.length + size);
  new DataView(bytes.buffer).setUint32(HASH_BYTES, json.length, true);
  bytes.set(json, HEADER_BYTES);
  let at = HEADER_BYTES + json.length;
  for (const array of arrays) {
    bytes.set(bytesOf(array), at);
    at += array.byteLength;
  }
  bytes.set(sha256(bytes.subarray(HASH_BYTES)), 0);
  return bytes;
}

function isStored(value: unknown): value is StoredArray {
  return (
    value instanceof Int8Array ||
    value instanceof Int16Array ||
    value instanceof Int32Array ||
    value instanceof Float32Array
  );
}

/** The tree back, or undefined when the bytes are not whole: a damaged entry is as good as none. */
export function decodeTree<Tree extends object>(bytes: Uint8Array): Tree | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const expected = bytesToHex(bytes.subarray(0, HASH_BYTES));
  if (bytesToHex(sha256(bytes.subarray(HASH_BYTES))) !== expected) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = HEADER_BYTES + view.getUint32(HASH_BYTES, true);
  const json = new TextDecoder().decode(bytes.subarray(HEADER_BYTES, start));
  return JSON.parse(json, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('array' in value) || !Array.isArray(value.array)) return value;
    const [name, at, count] = value.array as [ArrayName, number, number];
    const type = ARRAYS[name];
    const from = start + at;
    // slice: the copy starts at an address that suits every element type.
    return new type(bytes.slice(from, from + count * type.BYTES_PER_ELEMENT).buffer);
  }) as Tree;
}
