/** Places what ops read and no run changes in buffers that one binding each can hold. */
import { IvitError } from '@ivit/program';
import { MOST_BINDING_BYTES } from '../layout.js';

const MOST_WORDS = MOST_BINDING_BYTES >>> 2;
/** Every constant begins at a multiple of so many words. */
const ALIGNMENT = 4;

/** One constant of an op: equal keys stand for equal words. */
export interface WantedConstant {
  readonly key: string;
  /** Its length in words. */
  readonly words: number;
  /** Writes it to its place. */
  readonly write: (to: Uint32Array) => void;
}

class ConstantBuffer {
  readonly places = new Map<string, number>();
  readonly wanted: { readonly constant: WantedConstant; readonly at: number }[] = [];
  end = 0;

  /** Words that these constants would add. */
  missing(constants: readonly WantedConstant[]): number {
    const seen = new Set<string>();
    let words = 0;
    for (const { key, words: own } of constants) {
      if (this.places.has(key) || seen.has(key)) continue;
      seen.add(key);
      words += (own + ALIGNMENT - 1) & -ALIGNMENT;
    }
    return words;
  }

  place(constant: WantedConstant): number {
    const known = this.places.get(constant.key);
    if (known !== undefined) return known;
    const at = this.end;
    this.places.set(constant.key, at);
    this.wanted.push({ constant, at });
    this.end = at + ((constant.words + ALIGNMENT - 1) & -ALIGNMENT);
    return at;
  }

  fill(): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(Math.max(ALIGNMENT, this.end));
    for (const { constant, at } of this.wanted) constant.write(words.subarray(at, at + constant.words));
    return words;
  }
}

/** Where the constants of one op lie: all in one buffer. */
export interface PlacedConstants {
  readonly buffer: number;
  /** First words, in the order asked for. */
  readonly at: readonly number[];
}

export class ConstantPool {
  readonly #buffers: ConstantBuffer[] = [new ConstantBuffer()];

  /** @throws E_MEMORY where one op's constants pass what a binding may hold */
  place(constants: readonly WantedConstant[], where: string): PlacedConstants {
    let index = this.#buffers.findIndex((buffer) => buffer.missing(constants) === 0);
    if (index < 0) {
      index = this.#buffers.length - 1;
      const last = this.#buffers[index];
      if (last === undefined || last.end + last.missing(constants) > MOST_WORDS) {
        index += 1;
        this.#buffers.push(new ConstantBuffer());
      }
    }
    const buffer = this.#buffers[index] as ConstantBuffer;
    if (buffer.end + buffer.missing(constants) > MOST_WORDS) {
      throw new IvitError('E_MEMORY', `The op's constants pass the ${MOST_BINDING_BYTES} bytes of one binding`, {
        where,
        hint: 'Run this model on another backend.',
      });
    }
    return { buffer: index, at: constants.map((constant) => buffer.place(constant)) };
  }

  /** Words of each buffer. */
  get sizes(): readonly number[] {
    return this.#buffers.map((buffer) => Math.max(ALIGNMENT, buffer.end));
  }

  /** Contents of buffer `index`, made when asked for. */
  fill(index: number): Uint32Array<ArrayBuffer> {
    return (this.#buffers[index] as ConstantBuffer).fill();
  }
}
