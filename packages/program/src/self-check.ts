import { elementCount } from '@ivit/tensor';
import type { Program } from './types.js';

/**
 * Pixels of the self-check: the same bytes everywhere from a 32-bit seed. Half of them vary slowly over the image,
 * half are noise, so that the check reaches both small and large activations.
 *
 * Generator: mixing of a Weyl sequence (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014,
 * with the 32-bit finalizer constants of MurmurHash3).
 */
export function selfCheckPixels(program: Program, seed: number): Uint8Array {
  const type = program.values[program.input];
  if (type === undefined) throw new RangeError(`the program has no input value '${program.input}'`);
  const pixels = new Uint8Array(elementCount(type.shape));
  const row = type.shape.length === 3 ? (type.shape[1] as number) * (type.shape[2] as number) : pixels.length;
  const state = Int32Array.of(seed, 128);
  for (let start = 0; start < pixels.length; start += row) fillRow(pixels.subarray(start, start + row), state);
  return pixels;
}

/**
 * One row: a function of its own, which the engine optimizes after the first ones.
 *
 * @param state where the sequence stands, and the slow mean
 */
function fillRow(pixels: Uint8Array, state: Int32Array): void {
  const half = pixels.length >> 1;
  let weyl = state[0] as number;
  let slow = state[1] as number;
  for (let x = 0; x < pixels.length; x++) {
    weyl = (weyl + 0x9e3779b9) | 0;
    let mixed = weyl ^ (weyl >>> 16);
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    mixed ^= mixed >>> 16;
    const byte = mixed & 255;
    slow = (slow * 15 + byte) >> 4;
    pixels[x] = x < half ? slow : byte;
  }
  state[0] = weyl;
  state[1] = slow;
}
