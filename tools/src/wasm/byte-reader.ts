import { IvitError } from '@ivit/program';

/** A place in a module's bytes; every read is inside them or an error that names the byte. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at === this.end;
  }

  fail(problem: string, at: number = this.at): never {
    throw new IvitError('E_WASM', `byte ${at}: ${problem}`);
  }

  byte(): number {
    const value = this.#bytes[this.at];
    if (value === undefined || this.at >= this.end) this.fail('the module ends too early');
    this.at += 1;
    return value;
  }

  skip(count: number): void {
    if (this.at + count > this.end) this.fail(`${count} more bytes are missing`);
    this.at += count;
  }

  /** The next `length` bytes as a reader of their own. */
  part(length: number): ByteReader {
    const start = this.at;
    this.skip(length);
    return new ByteReader(this.#bytes, start, this.at);
  }

  /** Unsigned LEB128 of at most 32 bits. */
  unsigned(): number {
    const start = this.at;
    let value = 0;
    for (let place = 0; place < 5; place += 1) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** (7 * place);
      if (byte < 128) {
        if (value > 0xffffffff) this.fail('a number has more than 32 bits', start);
        return value;
      }
    }
    return this.fail('a number is longer than five bytes', start);
  }

  /** Passes over a LEB128 number of at most `bits` bits, signed or not. */
  skipNumber(bits: 32 | 33 | 64): void {
    const start = this.at;
    for (let place = 0; place < Math.ceil(bits / 7); place += 1) if (this.byte() < 128) return;
    this.fail(`a number has more than ${bits} bits`, start);
  }

  text(): string {
    const length = this.unsigned();
    const start = this.at;
    this.skip(length);
    return new TextDecoder('utf-8', { fatal: true }).decode(this.#bytes.subarray(start, this.at));
  }

  list<T>(read: () => T): T[] {
    const count = this.unsigned();
    // Every entry has a byte at least.
    if (count > this.end - this.at) this.fail(`a list of ${count} does not fit`);
    return Array.from({ length: count }, read);
  }
}
