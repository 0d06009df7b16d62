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

export type NamedTensors = Map<string, { shape: number[]; data: Float32Array }>;

/** Fills `tensors` with seeded weights under the names that a checkpoint has; the calls' order is part of the seed. */
export interface NamedTensorMaker {
  readonly tensors: NamedTensors;
  put(name: string, shape: number[], scale: number, center?: number): void;
  linear(name: string, n: number, k: number): void;
  norm(name: string, width: number): void;
}

/**
 * Readers are tested on tensors by name, uniform and with nothing that stands out, so these share no code with the weights of
 * `src/testing`, which stand for what a reader gives.
 */
export function createNamedTensors(seed: number): NamedTensorMaker {
  const next = randomStream(seed);
  const tensors: NamedTensors = new Map();
  const put: NamedTensorMaker['put'] = (name, shape, scale, center = 0) => {
    const length = shape.reduce((product, size) => product * size, 1);
    tensors.set(name, { shape, data: randomFloats(next, length, scale, center) });
  };
  return {
    tensors,
    put,
    linear: (name, n, k) => {
      put(`${name}.weight`, [n, k], 1.7 / Math.sqrt(k));
      put(`${name}.bias`, [n], 0.3);
    },
    norm: (name, width) => {
      put(`${name}.weight`, [width], 0.5, 1);
      put(`${name}.bias`, [width], 0.3);
    },
  };
}
