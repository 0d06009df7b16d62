import { IvitError } from '@ivit/program';
import { MAX_KEY_BYTES, quoteName, RESERVED_KEYS } from '../json/cursor.js';
import {
  BYTES_PER_ELEMENT,
  DTYPE_NAMES,
  isSafetensorsDType,
  type SafetensorsDType,
  tensorByteLength,
} from './dtypes.js';
import { DEFAULT_LIMITS } from './read.js';
import type { TensorSource } from './types.js';

/** Layout order of the reference implementation: wide dtypes first, so that every tensor is aligned to its element. */
const LAYOUT_RANK: Readonly<Record<SafetensorsDType, number>> = {
  U64: 0,
  I64: 1,
  F64: 2,
  F32: 3,
  U32: 4,
  I32: 5,
  BF16: 6,
  F16: 7,
  U16: 8,
  I16: 9,
  I8: 10,
  U8: 11,
  BOOL: 12,
};

const HINT = 'Correct this tensor or entry before writing.';

/**
 * A safetensors file. The same tensors and metadata give the same bytes on every machine, whatever order they come in:
 * tensors are laid out by element type (widest first), then by name; metadata keys are sorted; the header is JSON
 * without white space, padded with spaces so that the data starts at a multiple of 8. Names sort by UTF-16 code unit.
 *
 * @param tensors each with `bytes` little-endian, row-major, as long as dtype and shape ask for.
 * @throws IvitError E_SAFETENSORS_… where `readSafetensors` would refuse the file.
 */
export function writeSafetensors(
  tensors: Iterable<TensorSource>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const ordered = [...tensors];
  if (ordered.length > DEFAULT_LIMITS.tensors) {
    refuse('E_SAFETENSORS_LIMIT', `${ordered.length} tensors are more than ${DEFAULT_LIMITS.tensors}`, 'tensors');
  }
  const seen = new Set<string>();
  for (const tensor of ordered) checkTensor(tensor, seen);
  ordered.sort(compareLayout);

  const members: string[] = [];
  const metadataText = formatMetadata(metadata);
  if (metadataText !== undefined) members.push(`"__metadata__":${metadataText}`);
  let dataLength = 0;
  for (const tensor of ordered) {
    const end = dataLength + tensor.bytes.length;
    const shape = tensor.shape.join(',');
    const offsets = `${dataLength},${end}`;
    members.push(
      `${JSON.stringify(tensor.name)}:{"dtype":"${tensor.dtype}","shape":[${shape}],"data_offsets":[${offsets}]}`,
    );
    dataLength = end;
  }

  const header = new TextEncoder().encode(`{${members.join(',')}}`);
  const headerLength = Math.ceil(header.length / 8) * 8;
  if (headerLength > DEFAULT_LIMITS.headerBytes) {
    refuse('E_SAFETENSORS_HEADER_SIZE', `the header has ${headerLength} bytes, above the format's limit`, 'header');
  }
  const file = new Uint8Array(8 + headerLength + dataLength);
  new DataView(file.buffer).setUint32(0, headerLength, true);
  file.fill(0x20, 8, 8 + headerLength);
  file.set(header, 8);
  let at = 8 + headerLength;
  for (const { bytes } of ordered) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

function compareLayout(a: TensorSource, b: TensorSource): number {
  const rank = LAYOUT_RANK[a.dtype] - LAYOUT_RANK[b.dtype];
  if (rank !== 0) return rank;
  return compareNames(a.name, b.name);
}

function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function formatMetadata(metadata: Readonly<Record<string, string>>): string | undefined {
  const keys = Object.keys(metadata).sort(compareNames);
  if (keys.length === 0) return undefined;
  if (keys.length > DEFAULT_LIMITS.metadataEntries) {
    refuse('E_SAFETENSORS_LIMIT', `${keys.length} entries are more than ${DEFAULT_LIMITS.metadataEntries}`, 'metadata');
  }
  const members = keys.map((key) => {
    const where = `metadata ${quoteName(key)}`;
    checkName(key, where);
    const value: unknown = metadata[key];
    if (typeof value !== 'string') return refuse('E_SAFETENSORS_METADATA', 'the value is not a string', where);
    if (!isWellFormed(value)) refuse('E_SAFETENSORS_UTF8', 'the value holds half of a surrogate pair', where);
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  return `{${members.join(',')}}`;
}

function checkTensor(tensor: TensorSource, seen: Set<string>): void {
  const { name, dtype, shape, bytes } = tensor;
  const where = `tensor ${quoteName(name)}`;
  checkName(name, where);
  if (name === '' || name === '__metadata__') refuse('E_SAFETENSORS_NAME', 'the name is not allowed', where);
  if (seen.has(name)) refuse('E_SAFETENSORS_DUPLICATE', 'two tensors have this name', where);
  seen.add(name);
  if (!isSafetensorsDType(dtype)) refuse('E_SAFETENSORS_DTYPE', `unknown dtype, known are ${DTYPE_NAMES}`, where);
  const integral = shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0);
  const size = integral && shape.length <= DEFAULT_LIMITS.rank ? tensorByteLength(dtype, shape) : undefined;
  if (size === undefined) refuse('E_SAFETENSORS_SHAPE', `[${shape.join(', ')}] is not a shape`, where);
  if (size !== bytes.length) {
    const elements = `${dtype} [${shape.join(', ')}] of ${BYTES_PER_ELEMENT[dtype]} bytes each`;
    refuse('E_SAFETENSORS_SIZE', `${elements} needs ${size} bytes, got ${bytes.length}`, where);
  }
}

function checkName(name: string, where: string): void {
  if (RESERVED_KEYS.has(name)) refuse('E_SAFETENSORS_NAME', 'the name is not allowed', where);
  if (!isWellFormed(name)) refuse('E_SAFETENSORS_UTF8', 'the name holds half of a surrogate pair', where);
  const size = new TextEncoder().encode(JSON.stringify(name)).length - 2;
  if (size > MAX_KEY_BYTES) refuse('E_SAFETENSORS_LIMIT', `the name has more than ${MAX_KEY_BYTES} bytes`, where);
}

/** With the u flag a surrogate matches only where it stands alone. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function refuse(code: string, message: string, where: string): never {
  throw new IvitError(code, message, { where, hint: HINT });
}
