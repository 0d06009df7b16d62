import type { IntArray } from '@ivit/program';
import { bytesToHex } from '@noble/hashes/utils.js';

/** A sha256 that bytes are given to, which nobody changes later: one in JavaScript, or the faster ones of Node and of pages. */
export interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array | Promise<Uint8Array>;
}

/** What is kept of one value over all images: the vectors' own digest, and the first elements. */
export class ValueRecord {
  readonly #hash: Hash;
  readonly #kept: number[] = [];
  readonly #keep: number;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  sum = 0;
  count = 0;

  #digest: string | undefined;

  /** @param keep elements to keep for comparison */
  constructor(hash: Hash, keep: number) {
    this.#hash = hash;
    this.#keep = keep;
  }

  add(data: IntArray): void {
    // Little-endian int64: the int32 and its sign.
    const words = new Int32Array(2 * data.length);
    for (let index = 0; index < data.length; index += 1) {
      const value = data[index] as number;
      words[2 * index] = value;
      words[2 * index + 1] = value < 0 ? -1 : 0;
      this.min = Math.min(this.min, value);
      this.max = Math.max(this.max, value);
      this.sum += value;
      if (this.#kept.length < this.#keep) this.#kept.push(value);
    }
    this.count += data.length;
    this.#hash.update(new Uint8Array(words.buffer));
  }

  get kept(): readonly number[] {
    return this.#kept;
  }

  /** Makes the digest: nothing can be added after it. */
  async finish(): Promise<void> {
    this.#digest ??= bytesToHex(await this.#hash.digest());
  }

  /** Of all that was added. @throws RangeError before `finish` */
  get digest(): string {
    if (this.#digest === undefined) throw new RangeError('the record is not finished');
    return this.#digest;
  }
}
