/** One dispatch while it is planned: its record is filled, and what it reads is noted until the values have their places. */
import { divFloor } from '@ivit/dyadic';
import type { Operand } from '@ivit/program';
import { elementCount, type IntegerArray, planView, type View } from '@ivit/tensor';
import * as R from '../kernels/common/record-words.js';
import { imageWords, MOST_GROUPS, RECORD_WORDS, TYPE_CODE, wordsOf } from '../layout.js';
import type { WantedConstant } from './constants.js';
import type { PlanValues } from './values.js';

/** Words of a record that hold the place of a value. */
export interface Patch {
  readonly value: string;
  readonly baseWord: number;
}

/** Constants whose words are the record's from `word` on. */
interface ConstantPatch {
  readonly word: number;
  readonly constant: WantedConstant;
}

/** A typed array as it lies in memory: the host is little-endian, as every host of WebGPU is. */
function bytesOf(data: IntegerArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export class Draft {
  readonly code: string;
  readonly result: string;
  readonly record: Int32Array<ArrayBuffer> = new Int32Array(RECORD_WORDS);
  readonly patches: Patch[] = [];
  readonly constants: ConstantPatch[] = [];
  /** Values that it makes besides its result. */
  readonly also: string[] = [];
  /** Whether elements of the result are left out that come before needed ones. */
  partial = false;
  /** Workgroups of one image, over x and y. */
  grid: readonly [number, number] = [1, 1];
  readonly #values: PlanValues;

  /** @param count elements of an image that are needed, from the first on */
  constructor(values: PlanValues, code: string, result: string, count: number) {
    this.#values = values;
    this.code = code;
    this.result = result;
    const { dtype, shape } = values.type(result);
    this.value(result, R.OUT_BASE);
    this.record[R.OUT_IMAGE_WORDS] = imageWords(dtype, shape);
    this.record[R.OUT_COUNT] = count;
    this.record[R.OUT_TYPE] = TYPE_CODE[dtype];
  }

  get reads(): readonly string[] {
    const made = [this.result, ...this.also];
    return this.patches.map(({ value }) => value).filter((value) => !made.includes(value));
  }

  /** Words that the needed part of the result takes. */
  get words(): number {
    return wordsOf(this.#values.type(this.result).dtype, this.record[R.OUT_COUNT] as number);
  }

  set(word: number, value: number): this {
    this.record[word] = value;
    return this;
  }

  /** The first word of a value's image 0 goes to this word of the record. */
  value(name: string, word: number): void {
    this.patches.push({ value: name, baseWord: word });
  }

  /** One more value that the dispatch makes: its place and the words from image to image go to these two words. */
  making(name: string, word: number): this {
    const { dtype, shape } = this.#values.type(name);
    this.also.push(name);
    this.value(name, word);
    return this.set(word + 1, imageWords(dtype, shape));
  }

  /** The place of integers in the constants, in their own type, goes to this word. */
  packed(word: number, key: string, data: IntegerArray): this {
    const bytes = bytesOf(data);
    const words = (bytes.length + 3) >>> 2;
    const write = (to: Uint32Array): void => new Uint8Array(to.buffer, to.byteOffset, bytes.length).set(bytes);
    this.constants.push({ word, constant: { key: `packed ${key}`, words, write } });
    return this;
  }

  /** The same, one int32 each. */
  int32(word: number, key: string, data: ArrayLike<number>): this {
    const write = (to: Uint32Array): void => to.set(Int32Array.from(data));
    this.constants.push({ word, constant: { key: `int32 ${key}`, words: data.length, write } });
    return this;
  }

  /** The place of `count` words that are made when they are written goes to this word. */
  words32(word: number, key: string, count: number, make: () => Uint32Array): this {
    this.constants.push({ word, constant: { key, words: count, write: (to) => to.set(make()) } });
    return this;
  }

  /** An operand under its view, or under one that the caller made of it. */
  operand(slot: number, operand: Operand, view: View = this.#values.viewOf(operand)): this {
    const at = R.SLOT + slot * R.SLOT_WORDS;
    const dtype = this.#values.typeOf(operand);
    if ('value' in operand) {
      this.value(operand.value, at + R.SLOT_BASE);
      this.record[at + R.SLOT_IMAGE_WORDS] = imageWords(dtype, this.#values.type(operand.value).shape);
    } else {
      this.record[at + R.SLOT_SOURCE] = 1;
      this.packed(at + R.SLOT_BASE, operand.constant, this.#values.constant(operand.constant).data);
    }
    this.record[at + R.SLOT_TYPE] = TYPE_CODE[dtype];
    const { offset, shape, strides } = planView(view);
    const first = Math.max(
      0,
      shape.findIndex((size) => size > 1),
    );
    const axes = elementCount(shape) === 1 ? [] : shape.slice(first);
    this.record[at + R.SLOT_OFFSET] = offset;
    this.record[at + R.SLOT_RANK] = axes.length;
    for (const [axis, size] of axes.entries()) {
      this.record[at + R.SLOT_SHAPE + axis] = size;
      this.record[at + R.SLOT_STRIDES + axis] = strides[first + axis] as number;
    }
    return this;
  }

  /** Spreads so many workgroups over the grid. */
  groups(count: number): this {
    const x = Math.min(count, MOST_GROUPS);
    this.grid = [x, -divFloor(-count, x)];
    return this;
  }
}
