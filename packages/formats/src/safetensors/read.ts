import { IvitError } from '@ivit/program';
import { createJsonCursor, type JsonCursor, type JsonFault, quoteName } from '../json/cursor.js';
import { canonicalHeader } from './canonical.js';
import { DTYPE_NAMES, isSafetensorsDType, type SafetensorsDType, tensorByteLength } from './dtypes.js';
import type {
  HeaderEntry,
  ReadSafetensorsOptions,
  SafetensorsFile,
  SafetensorsHeader,
  SafetensorsLimits,
  TensorEntry,
} from './types.js';

export const DEFAULT_LIMITS: SafetensorsLimits = {
  headerBytes: 100_000_000,
  tensors: 100_000,
  metadataEntries: 10_000,
  rank: 16,
};

/** The length of the header, u64 little-endian, stands before it. */
const PREFIX_BYTES = 8;

const DAMAGED = 'The file is cut short or damaged: get it again and compare its sha256 with the one published.';
const WRITER = 'The program that wrote this file is at fault: write it again with a current safetensors library.';
const RAISE = 'If the file is to be trusted, raise the limit (an option of readSafetensors).';

const FAULT_CODES: Readonly<Record<JsonFault, string>> = {
  syntax: 'E_SAFETENSORS_JSON',
  utf8: 'E_SAFETENSORS_UTF8',
  duplicate: 'E_SAFETENSORS_DUPLICATE',
  name: 'E_SAFETENSORS_NAME',
  integer: 'E_SAFETENSORS_JSON',
  limit: 'E_SAFETENSORS_LIMIT',
};

/** Throws with code, message and hint; `at` is a byte of the file, `tensor` a name where one is concerned. */
type Refuse = (code: string, message: string, at: number, hint: string, tensor?: string) => never;

/**
 * Reads a safetensors file from memory. Every claim of the header is checked before anything is made from it: its
 * length, its JSON (unique keys, valid UTF-8, integers only), dtypes, shapes, and that the tensors tile the data
 * exactly, without overlap or hole. Time and memory are bounded by the file's size and by `limits`.
 *
 * @returns tensors whose `bytes` are windows on the given bytes: do not change those while the result is in use.
 * @throws IvitError E_SAFETENSORS_… with the tensor and the byte concerned; see the README's table.
 */
export function readSafetensors(bytes: Uint8Array, options: ReadSafetensorsOptions = {}): SafetensorsFile {
  const limits: SafetensorsLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const place = options.where ?? 'safetensors file';
  const refuse: Refuse = (code, message, at, hint, tensor) => {
    const name = tensor === undefined ? '' : `, tensor ${quoteName(tensor)}`;
    throw new IvitError(code, message, { where: `${place}${name}, byte ${at}`, hint });
  };

  const dataStart = PREFIX_BYTES + readHeaderLength(bytes, limits.headerBytes, refuse);
  // A copy, so that shared memory cannot change under the parser.
  const header = new Uint8Array(bytes.subarray(PREFIX_BYTES, dataStart));
  const canonical = canonicalHeader(header, limits);
  const whole = canonical !== undefined && untiled(canonical.entries, dataStart, bytes.length) === undefined;
  // The places that errors name are known to the strict reader alone.
  const { metadata, entries } = whole ? canonical : readHeader(header, limits, refuse);
  const fault = whole ? undefined : untiled(entries, dataStart, bytes.length);
  if (fault !== undefined) refuse(...fault);

  const tensors = new Map<string, TensorEntry>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const offset = dataStart + begin;
    tensors.set(name, {
      name,
      dtype,
      shape,
      bytes: new Uint8Array(bytes.buffer, bytes.byteOffset + offset, end - begin),
      offset,
    });
  }
  return { metadata, tensors };
}

function readHeaderLength(bytes: Uint8Array, limit: number, refuse: Refuse): number {
  if (bytes.length < PREFIX_BYTES) {
    refuse('E_SAFETENSORS_TRUNCATED', `the file has ${bytes.length} bytes, too few for a header length`, 0, DAMAGED);
  }
  const prefix = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES);
  // Exact below 2^53; above it the rounded value is still far above every limit.
  const length = prefix.getUint32(4, true) * 2 ** 32 + prefix.getUint32(0, true);
  if (length > limit) {
    const message = `the header length ${length} is above the limit of ${limit} bytes`;
    refuse('E_SAFETENSORS_HEADER_SIZE', message, 0, `Either this is no safetensors file, or it is damaged. ${RAISE}`);
  }
  if (length < 2) refuse('E_SAFETENSORS_HEADER_SIZE', `the header length ${length} is too short for JSON`, 0, DAMAGED);
  if (length > bytes.length - PREFIX_BYTES) {
    const message = `the header claims ${length} bytes, but only ${bytes.length - PREFIX_BYTES} follow its length`;
    refuse('E_SAFETENSORS_TRUNCATED', message, 0, DAMAGED);
  }
  return length;
}

function readHeader(header: Uint8Array, limits: SafetensorsLimits, refuse: Refuse): SafetensorsHeader {
  const metadata: Record<string, string> = Object.create(null);
  const entries: HeaderEntry[] = [];
  let tensor: string | undefined;
  // What a number that is no exact integer means depends on the field that is being read.
  let integerCode: string | undefined;
  const cursor = createJsonCursor(header, (fault, message, at) => {
    const code = fault === 'integer' && integerCode !== undefined ? integerCode : FAULT_CODES[fault];
    refuse(
      code,
      `in the header, ${message}`,
      PREFIX_BYTES + at,
      fault === 'limit' ? RAISE : `${DAMAGED} ${WRITER}`,
      tensor,
    );
  });
  const readIntegers = (code: string, max: number): number[] => {
    const integers: number[] = [];
    integerCode = code;
    cursor.array(max, () => {
      integers.push(cursor.integer());
    });
    integerCode = undefined;
    return integers;
  };

  if (header[0] !== 0x7b) {
    refuse('E_SAFETENSORS_JSON', "the header does not start with '{'", PREFIX_BYTES, 'This is no safetensors file.');
  }
  // Room for the metadata and for the one tensor too many, which is then named.
  cursor.object(limits.tensors + 2, (key, position) => {
    const at = PREFIX_BYTES + position;
    if (key === '__metadata__') {
      readMetadata(cursor, limits, metadata, refuse);
      return;
    }
    if (entries.length >= limits.tensors) {
      refuse('E_SAFETENSORS_LIMIT', `the file has more than ${limits.tensors} tensors`, at, RAISE, key);
    }
    tensor = key;
    if (key === '') refuse('E_SAFETENSORS_NAME', 'a tensor has an empty name', at, WRITER, key);
    entries.push(readEntry(cursor, key, at, limits, readIntegers, refuse));
    tensor = undefined;
  });
  cursor.end();
  return { metadata, entries };
}

function readMetadata(
  cursor: JsonCursor,
  limits: SafetensorsLimits,
  metadata: Record<string, string>,
  refuse: Refuse,
): void {
  const at = PREFIX_BYTES + cursor.position();
  if (cursor.kind() !== 'object') refuse('E_SAFETENSORS_METADATA', '__metadata__ is not an object', at, WRITER);
  cursor.object(limits.metadataEntries, (key) => {
    const position = PREFIX_BYTES + cursor.position();
    if (cursor.kind() !== 'string') {
      refuse(
        'E_SAFETENSORS_METADATA',
        `the value of __metadata__[${quoteName(key)}] is not a string`,
        position,
        WRITER,
      );
    }
    metadata[key] = cursor.string(limits.headerBytes);
  });
}

function readEntry(
  cursor: JsonCursor,
  name: string,
  at: number,
  limits: SafetensorsLimits,
  readIntegers: (code: string, max: number) => number[],
  refuse: Refuse,
): HeaderEntry {
  let dtype: SafetensorsDType | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  if (cursor.kind() !== 'object') {
    refuse('E_SAFETENSORS_FIELD', 'the header entry is not an object', PREFIX_BYTES + cursor.position(), WRITER, name);
  }
  // Only three names pass, and none twice.
  cursor.object(4, (field, position) => {
    const fieldAt = PREFIX_BYTES + position;
    const valueAt = PREFIX_BYTES + cursor.position();
    const wanted = field === 'dtype' ? 'string' : 'array';
    if (field !== 'dtype' && field !== 'shape' && field !== 'data_offsets') {
      refuse('E_SAFETENSORS_FIELD', `unknown field ${quoteName(field)} in the header entry`, fieldAt, WRITER, name);
    }
    if (cursor.kind() !== wanted) {
      const code = {
        dtype: 'E_SAFETENSORS_DTYPE',
        shape: 'E_SAFETENSORS_SHAPE',
        data_offsets: 'E_SAFETENSORS_OFFSETS',
      }[field];
      refuse(code, `the field ${field} is no ${wanted}`, valueAt, WRITER, name);
    }
    if (field === 'dtype') {
      const text = cursor.string(MAX_DTYPE_BYTES);
      if (!isSafetensorsDType(text)) {
        const message = `unknown dtype ${quoteName(text)}`;
        return refuse('E_SAFETENSORS_DTYPE', message, valueAt, `Convert the tensor to one of ${DTYPE_NAMES}.`, name);
      }
      dtype = text;
    } else if (field === 'shape') {
      shape = readIntegers('E_SAFETENSORS_SHAPE', limits.rank);
      const negative = shape.find((dimension) => dimension < 0);
      if (negative !== undefined) {
        refuse('E_SAFETENSORS_SHAPE', `a dimension is negative: ${negative}`, valueAt, WRITER, name);
      }
    } else {
      offsets = readIntegers('E_SAFETENSORS_OFFSETS', limits.rank);
    }
  });
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    const missing = dtype === undefined ? 'dtype' : shape === undefined ? 'shape' : 'data_offsets';
    return refuse('E_SAFETENSORS_FIELD', `the header entry has no ${missing}`, at, WRITER, name);
  }
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length > 2 || begin < 0 || end < begin) {
    const message = `data_offsets [${offsets.join(', ')}] is not a pair 0 ≤ begin ≤ end`;
    return refuse('E_SAFETENSORS_OFFSETS', message, at, WRITER, name);
  }
  const size = tensorByteLength(dtype, shape);
  const what = `${dtype} [${shape.join(', ')}]`;
  if (size === undefined) {
    return refuse('E_SAFETENSORS_SHAPE', `${what} has more than 2^53 - 1 bytes`, at, WRITER, name);
  }
  if (size !== end - begin) {
    const message = `${what} needs ${size} bytes, but data_offsets [${begin}, ${end}] spans ${end - begin}`;
    return refuse('E_SAFETENSORS_SIZE', message, at, WRITER, name);
  }
  return { name, dtype, shape, begin, end, at };
}

/** A known dtype has at most 4 letters; a longer text is still shown whole when it is short. */
const MAX_DTYPE_BYTES = 64;

/** The tensors, ordered by place, must follow each other from the first to the last byte of the data: where they do not. */
function untiled(
  entries: readonly HeaderEntry[],
  dataStart: number,
  fileLength: number,
): Parameters<Refuse> | undefined {
  const dataLength = fileLength - dataStart;
  const ordered = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  let before = 'the start of the data';
  for (const { name, begin, end, at } of ordered) {
    if (end > dataLength) {
      const message = `the tensor ends at byte ${dataStart + end}, but the file has ${fileLength} bytes`;
      return ['E_SAFETENSORS_TRUNCATED', message, at, DAMAGED, name];
    }
    if (begin < covered) {
      const message = `the tensor starts at byte ${dataStart + begin}, inside ${before}, which ends at ${dataStart + covered}`;
      return ['E_SAFETENSORS_OVERLAP', message, at, WRITER, name];
    }
    if (begin > covered) {
      const message = `bytes ${dataStart + covered} to ${dataStart + begin} before the tensor belong to no tensor`;
      return ['E_SAFETENSORS_HOLE', message, dataStart + covered, WRITER, name];
    }
    covered = end;
    before = `tensor ${quoteName(name)}`;
  }
  if (covered < dataLength) {
    const message = `bytes ${dataStart + covered} to ${fileLength} at the end of the file belong to no tensor`;
    return ['E_SAFETENSORS_HOLE', message, dataStart + covered, `${DAMAGED} ${WRITER}`];
  }
  return undefined;
}
