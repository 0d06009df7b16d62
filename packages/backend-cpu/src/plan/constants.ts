import type { Constant } from '@ivit/program';
import { aligned, type IntegerArray } from '@ivit/tensor';

/** Bytes read past the end of a constant by loops of eight. */
const SLACK = 64;

/** int8 weights to pack for the products; `bias` is the address of int32s packed with them, or 0. */
export interface WeightsEntry {
  readonly address: number;
  readonly weights: Int8Array;
  readonly rows: number;
  readonly columns: number;
  /** The layout of the relaxed product instead of the int16 one. */
  readonly relaxed?: { readonly bias: number; readonly flip: number };
}

/** The map of assembly/ramp-map.ts, made of a ramp's table at an address. */
export interface RampMapEntry {
  readonly address: number;
  readonly rampMap: readonly [table: number, low: number, high: number, u: number, m: number, e: number, z: number];
}

/** What goes to an address before the first run: bytes as they are, weights, or a map; what it is made of stands before it. */
export type ConstantEntry = { readonly address: number; readonly data: ArrayBufferView } | WeightsEntry | RampMapEntry;

/** Bytes of a packed right side of k × n: panels of 8 columns, pairs of k. */
export function packedBytes(k: number, n: number): number {
  return ((n + 7) >> 3) * ((k + 1) >> 1) * 32;
}

/** The same for the relaxed product: panels of 8 columns with their head, fours of k. */
export function relaxedBytes(k: number, n: number): number {
  return ((n + 7) >> 3) * (32 + ((k + 3) >> 2) * 32);
}

/** A table in memory: its entries and where they are. */
export interface PlacedTable {
  readonly address: number;
  readonly length: number;
}

/** Gives constants their addresses, each once. */
export class ConstantPool {
  readonly entries: ConstantEntry[] = [];
  readonly #byName = new Map<string, number>();
  readonly #tables = new Map<string, IntegerArray | Uint16Array>();
  #end: number;

  constructor(start: number) {
    this.#end = aligned(start);
  }

  get end(): number {
    return this.#end;
  }

  #reserve(bytes: number): number {
    const address = this.#end;
    this.#end = aligned(address + bytes + SLACK);
    return address;
  }

  bytes(data: ArrayBufferView): number {
    const address = this.#reserve(data.byteLength);
    this.entries.push({ address, data });
    return address;
  }

  /** Data that `make` builds, shared by all that ask under the same key. */
  shared(key: string, make: () => ArrayBufferView): number {
    const known = this.#byName.get(key);
    if (known !== undefined) return known;
    const address = this.bytes(make());
    this.#byName.set(key, address);
    return address;
  }

  /** The same, with the length of what it made. */
  table(key: string, make: () => IntegerArray | Uint16Array): PlacedTable {
    const known = this.#tables.get(key);
    const data = known ?? make();
    if (known === undefined) this.#tables.set(key, data);
    return { address: this.shared(key, () => data), length: data.length };
  }

  rampMap(...rampMap: RampMapEntry['rampMap']): number {
    const key = `map ${rampMap.join(' ')}`;
    const known = this.#byName.get(key);
    if (known !== undefined) return known;
    const [, low, high] = rampMap;
    const address = this.#reserve((low + high + 1) * 2);
    this.entries.push({ address, rampMap });
    this.#byName.set(key, address);
    return address;
  }

  /** A program's constant as it is. */
  dense(name: string, constant: Constant): number {
    return this.shared(`dense ${name}`, () => constant.data);
  }

  /** int8 weights `[rows, columns]`, packed as the right side of a product with k = columns, n = rows. */
  weights(name: string, constant: Constant, relaxed?: WeightsEntry['relaxed']): number {
    const key = `weights ${name} ${relaxed?.bias}`;
    const known = this.#byName.get(key);
    if (known !== undefined) return known;
    const [rows, columns] = constant.shape as readonly [number, number];
    const size = relaxed === undefined ? packedBytes : relaxedBytes;
    const address = this.#reserve(size(columns, rows));
    const entry = { address, weights: constant.data as Int8Array, rows, columns };
    this.entries.push(relaxed === undefined ? entry : { ...entry, relaxed });
    this.#byName.set(key, address);
    return address;
  }
}

/** Copies integers into an Int32Array of the next multiple of 8, zeros behind. */
export function padded(values: ArrayLike<number>, length: number = values.length): Int32Array {
  const out = new Int32Array((length + 7) & ~7);
  for (let i = 0; i < length; i++) out[i] = values[values.length === 1 ? 0 : i] as number;
  return out;
}
