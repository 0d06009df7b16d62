/**
 * Where integers lie on the device. All memory is u32 words; a value is dense row-major and packed little-endian like the
 * host's typed array: four 8-bit elements, two 16-bit ones or one 32-bit one to a word, element 0 in the lowest bits.
 *
 * Image b of a value begins at word `base + b·imageWords`. There are no 8-bit stores: one invocation makes one whole word.
 */
import { type DType, elementCount } from '@ivit/tensor';

/** Words to which images are rounded up, so that a shader may read four at once. */
const IMAGE_ALIGNMENT = 4;

/** log2 of the elements in a word. */
export const PER_WORD_SHIFT: Readonly<Record<DType, number>> = { u8: 2, i8: 2, i16: 1, i32: 0 };

/** How shaders name a dtype; `operands.wgsl.ts` has the same numbers. */
export const TYPE_CODE: Readonly<Record<DType, number>> = { i32: 0, i16: 1, i8: 2, u8: 3 };

/** Words that hold `count` elements. */
export function wordsOf(dtype: DType, count: number): number {
  const shift = PER_WORD_SHIFT[dtype];
  return (count + (1 << shift) - 1) >>> shift;
}

/** Words from one image of a value to the next. */
export function imageWords(dtype: DType, shape: readonly number[]): number {
  return (wordsOf(dtype, elementCount(shape)) + IMAGE_ALIGNMENT - 1) & -IMAGE_ALIGNMENT;
}

/**
 * Every shader sees the same three bindings of group 0:
 *
 * 0. `arena: array<u32>`, storage, read_write: the values
 * 1. `constants: array<u32>`, storage, read: what the op reads and no run changes
 * 2. `record: array<vec4<i32>, 32>`, uniform with a dynamic offset: the op's parameters, so that ops of a kind share a pipeline
 */
export const BINDING_ARENA = 0;
export const BINDING_CONSTANTS = 1;
export const BINDING_RECORD = 2;

/** Words of one op's record, and their bytes: a multiple of the 256 that dynamic offsets are aligned to. */
export const RECORD_WORDS = 128;
export const RECORD_BYTES = RECORD_WORDS * 4;

/** Most bytes of one storage binding under default limits. */
export const MOST_BINDING_BYTES = 134217728;
/** Most workgroups along one axis of a grid under default limits. */
export const MOST_GROUPS = 65535;
