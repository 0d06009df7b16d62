import { littleEndianBytes, type OpName, type ValidatedProgram, type ValueType } from '@ivit/program';
import { elementCount, type IntegerArray, makeArray } from '@ivit/tensor';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { interpret } from './exact/interpret.js';

/** A program, images for it, and what every value must be. */
export interface Case {
  /** What the case is about: an op, or a kind of model. */
  readonly subject: string;
  readonly id: string;
  /** Which mistakes it catches, in words. */
  readonly catches: readonly string[];
  readonly program: ValidatedProgram;
  readonly batch: number;
  /** `batch` images. */
  readonly pixels: Uint8Array;
  /** sha256 of a value's little-endian bytes over all images, where it is stored. */
  digest(value: string): string | undefined;
  /** A value's elements over all images. */
  expected(value: string): IntegerArray;
}

export function digestOf(data: IntegerArray): string {
  return bytesToHex(sha256(littleEndianBytes(data)));
}

export function typeOf(program: ValidatedProgram, value: string): ValueType {
  const type = Object.hasOwn(program.values, value) ? program.values[value] : undefined;
  if (type === undefined) throw new RangeError(`the program has no value '${value}'`);
  return type;
}

/** Bytes of one image of the program's input. */
export function imageBytes(program: ValidatedProgram): number {
  return elementCount(typeOf(program, program.input).shape);
}

/** Expected values from the exact interpreter, computed when first asked for. */
export function exactValues(
  program: ValidatedProgram,
  pixels: Uint8Array,
  batch: number,
): (value: string) => IntegerArray {
  let images: readonly ReadonlyMap<string, IntegerArray>[] | undefined;
  return (value) => {
    const size = imageBytes(program);
    images ??= Array.from({ length: batch }, (_, i) => interpret(program, pixels.subarray(i * size, (i + 1) * size)));
    const { dtype, shape } = typeOf(program, value);
    const count = elementCount(shape);
    const data = makeArray(dtype, count * batch);
    for (const [index, values] of images.entries()) {
      const one = values.get(value);
      if (one === undefined) throw new RangeError(`the interpreter made no '${value}'`);
      data.set(one, index * count);
    }
    return data;
  };
}

/** A case whose expected values the exact interpreter gives. */
export function interpretedCase(
  subject: string,
  id: string,
  program: ValidatedProgram,
  pixels: Uint8Array,
  batch: number,
): Case {
  const expected = exactValues(program, pixels, batch);
  return { subject, id, catches: [], program, batch, pixels, digest: () => undefined, expected };
}

/** The op that makes a value; the input's own name for the input. */
export function opOf(program: ValidatedProgram, value: string): OpName | 'input' {
  return program.ops.find((op) => op.result === value)?.op ?? 'input';
}

/** One image of a case. */
export function imageOf(one: Case, index: number): Uint8Array {
  const size = imageBytes(one.program);
  return one.pixels.subarray(index * size, (index + 1) * size);
}

/** A value's elements of one image. */
export function expectedOf(one: Case, value: string, index: number): IntegerArray {
  const count = elementCount(typeOf(one.program, value).shape);
  return one.expected(value).subarray(index * count, (index + 1) * count);
}
