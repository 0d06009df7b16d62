import type { IntArray } from '../types.js';

/** Words whose lanes are summed before they are folded: 128 · 2 · 128 stays below the 2^16 of a lane. */
const BLOCK = 128;

/** Σ|w| of four int8 per 32-bit word, below 2^38. */
function sumWords(words: Int32Array, start: number, end: number): number {
  let sum = 0;
  let i = start;
  while (i < end) {
    const stop = Math.min(end, i + BLOCK);
    let lanes = 0;
    for (; i < stop; i++) {
      const word = words[i] as number;
      const signs = (word >>> 7) & 0x01010101;
      // |byte| each: inverted plus one where it is negative, at most 128, so nothing carries into the next.
      const bytes = ((word ^ Math.imul(signs, 255)) + signs) | 0;
      lanes = (lanes + (bytes & 0x00ff00ff) + ((bytes >>> 8) & 0x00ff00ff)) | 0;
    }
    sum += (lanes & 0xffff) + (lanes >>> 16);
  }
  return sum;
}

function sumEntries(w: IntArray, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += Math.abs(w[i] as number);
  return sum;
}

/**
 * Σ|w| of each row of an i8 constant `[rows, inputs]`. Every weight of a model passes here before its first photo, so
 * rows of whole words are summed four entries at a time, of a copy where a file has them between words.
 */
export function absoluteSums(w: IntArray, rows: number, inputs: number): readonly number[] {
  const sums: number[] = [];
  if (inputs % 4 === 0) {
    const { buffer, byteOffset, byteLength } = w.byteOffset % 4 === 0 ? w : w.slice();
    const words = new Int32Array(buffer, byteOffset, byteLength >> 2);
    const step = inputs >> 2;
    for (let row = 0; row < rows; row++) sums.push(sumWords(words, row * step, (row + 1) * step));
  } else {
    for (let row = 0; row < rows; row++) sums.push(sumEntries(w, row * inputs, (row + 1) * inputs));
  }
  return sums;
}
