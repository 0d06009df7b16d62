/** Seeded uniform numbers in [0, 1): xorshift32, the same on every machine. */
export function randomStream(seed: number): () => number {
  let state = (seed | 0) === 0 ? 1 : seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Seeded float32 numbers in ±scale around `center`. */
export function randomFloats(next: () => number, length: number, scale: number, center = 0): Float32Array {
  return Float32Array.from({ length }, () => center + (2 * next() - 1) * scale);
}
