import { crc32 } from 'node:zlib';

export type Part = number | string | Uint8Array | readonly number[];

/** Bytes of numbers, texts (UTF-8) and other bytes, in a row. */
export function bytesOf(...parts: readonly Part[]): Uint8Array {
  const encoder = new TextEncoder();
  const pieces = parts.map((part) => {
    if (typeof part === 'string') return encoder.encode(part);
    return typeof part === 'number' ? Uint8Array.of(part) : Uint8Array.from(part);
  });
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 255, (value >>> 8) & 255);
}

export function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
}

export interface ZipFile {
  readonly name: string;
  /** The content, or the packed bytes where `method` is 8. */
  readonly bytes: Uint8Array;
  readonly method?: number;
  readonly size?: number;
  readonly crc?: number;
  readonly flags?: number;
  /** Name in the local header where it differs. */
  readonly localName?: string;
  /** Offset of the local header that the directory states. */
  readonly header?: number;
}

/** A ZIP archive, right or as wrong as asked for; no descriptors, no 64-bit fields. */
export function zipOf(files: readonly ZipFile[]): Uint8Array {
  const local: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const file of files) {
    const { bytes, method = 0, size = bytes.length, crc = crc32(bytes), flags = 0 } = file;
    const sizes = bytesOf(u32(crc), u32(bytes.length), u32(size));
    const fixed = bytesOf(u16(flags), u16(method), u32(0), sizes);
    const name = bytesOf(file.localName ?? file.name);
    const stated = bytesOf(file.name);
    const piece = bytesOf('PK\u0003\u0004', u16(20), fixed, u16(name.length), u16(0), name, bytes);
    local.push(piece);
    central.push(
      bytesOf(
        ...['PK\u0001\u0002', u16(20), u16(20), fixed, u16(stated.length), u16(0), u16(0), u16(0), u16(0), u32(0)],
        u32(file.header ?? offset),
        stated,
      ),
    );
    offset += piece.length;
  }
  const directory = bytesOf(...central);
  const counts = bytesOf(u16(files.length), u16(files.length));
  const end = bytesOf('PK\u0005\u0006', u16(0), u16(0), counts, u32(directory.length), u32(offset), u16(0));
  return bytesOf(...local, directory, end);
}

/** Opcodes written by hand. */
export const op = {
  proto: [0x80, 2],
  stop: '.',
  mark: '(',
  none: 'N',
  false: [0x89],
  dict: '}',
  list: ']',
  emptyTuple: ')',
  tuple: 't',
  tuple1: [0x85],
  setItems: 'u',
  setItem: 's',
  reduce: 'R',
  build: 'b',
  persistent: 'Q',
  global: (module: string, name: string): string => `c${module}\n${name}\n`,
  text: (text: string): Uint8Array => bytesOf('X', u32(new TextEncoder().encode(text).length), text),
  int: (value: number): Uint8Array => bytesOf('J', u32(value)),
  put: (index: number): readonly number[] => [0x71, index],
  get: (index: number): readonly number[] => [0x68, index],
};

/** What `torch.save` writes for one tensor. */
export function tensorPickle(
  type: string,
  key: string,
  length: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const tuple = (items: readonly number[]): Uint8Array => bytesOf(op.mark, ...items.map(op.int), op.tuple);
  const storage = bytesOf(op.text('storage'), op.global('torch', type), op.text(key), op.text('cpu'), op.int(length));
  return bytesOf(
    op.global('torch._utils', '_rebuild_tensor_v2'),
    op.mark,
    bytesOf(op.mark, storage, op.tuple, op.persistent),
    op.int(offset),
    tuple(shape),
    tuple(strides),
    op.false,
    bytesOf(op.global('collections', 'OrderedDict'), op.emptyTuple, op.reduce),
    op.tuple,
    op.reduce,
  );
}

/** A state dict from the pickles of its values. */
export function dictPickle(entries: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const items = Object.entries(entries).map(([name, value]) => bytesOf(op.text(name), value));
  return bytesOf(op.dict, op.mark, ...items, op.setItems);
}

/** A checkpoint from its pickle (without PROTO and STOP) and storages, as a ZIP archive. */
export function checkpoint(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  more: readonly ZipFile[] = [],
): Uint8Array {
  return zipOf([
    { name: 'archive/data.pkl', bytes: bytesOf(op.proto, pickle, op.stop) },
    { name: 'archive/byteorder', bytes: bytesOf('little') },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes })),
    { name: 'archive/version', bytes: bytesOf('3\n') },
    ...more,
  ]);
}
