import type { SafetensorsDType } from './dtypes.js';

/** What a tensor is, and its bytes: little-endian, row-major. */
export interface TensorSource {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** One tensor of a file that was read. */
export interface TensorEntry extends TensorSource {
  /** A window on the bytes that were read, not a copy; it may start at any offset, so decode it through a DataView. */
  readonly bytes: Uint8Array;
  /** Where `bytes` starts, in bytes from the start of the file. */
  readonly offset: number;
}

export interface SafetensorsFile {
  /** The `__metadata__` strings; an object without a prototype, empty where the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

export interface SafetensorsLimits {
  /** Bytes of the JSON header; 100,000,000 as in the reference implementation. */
  readonly headerBytes: number;
  /** Number of tensors; 100,000. */
  readonly tensors: number;
  /** Number of `__metadata__` entries; 10,000. */
  readonly metadataEntries: number;
  /** Number of dimensions of a tensor; 16. */
  readonly rank: number;
}

export interface ReadSafetensorsOptions {
  /** What to call these bytes in errors, e.g. the file's name. */
  readonly where?: string;
  readonly limits?: Partial<SafetensorsLimits>;
}

/** A tensor as its header entry states it; offsets count from the start of the data. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
  /** Byte of the file at which the header entry starts. */
  readonly at: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the header. */
  readonly entries: readonly HeaderEntry[];
}
