import { createRandom } from './calibration.js';

/** A rotation `[size,size]`, row-major, symmetric and its own inverse. */
export type Rotation = Float64Array;

/**
 * A pseudorandom reflection that spreads every coordinate over all: Q = I - 2·Σ u·uᵀ over half of the vectors of an
 * orthonormal basis, which comes from rows of random signs by Gram-Schmidt (twice, for orthogonality to rounding).
 *
 * @param keepMean whether Q·1 = 1: the mean of a row is then the mean of the rotated row.
 */
export function createRotation(size: number, seed: number, keepMean: boolean): Rotation {
  const random = createRandom(seed);
  const basis: Float64Array[] = [];
  if (keepMean) basis.push(new Float64Array(size).fill(1 / Math.sqrt(size)));
  const half = basis.length + Math.ceil((size - basis.length) / 2);
  while (basis.length < half) {
    const vector = Float64Array.from({ length: size }, () => ((random() & 1) === 0 ? 1 : -1));
    if (orthogonalize(vector, basis)) basis.push(vector);
  }
  const rotation = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) rotation[i * size + i] = 1;
  for (const u of keepMean ? basis.slice(1) : basis) {
    for (let i = 0; i < size; i += 1) {
      const twice = 2 * (u[i] as number);
      for (let j = 0; j < size; j += 1) {
        rotation[i * size + j] = (rotation[i * size + j] as number) - twice * (u[j] as number);
      }
    }
  }
  return rotation;
}

/** Makes a vector a unit vector orthogonal to the basis; false when it (nearly) lies in its span. */
function orthogonalize(vector: Float64Array, basis: readonly Float64Array[]): boolean {
  for (let pass = 0; pass < 2; pass += 1) {
    for (const u of basis) {
      const share = inner(vector, u);
      for (let i = 0; i < vector.length; i += 1) vector[i] = (vector[i] as number) - share * (u[i] as number);
    }
    const norm = Math.sqrt(inner(vector, vector));
    if (!(norm > 1e-6)) return false;
    for (let i = 0; i < vector.length; i += 1) vector[i] = (vector[i] as number) / norm;
  }
  return true;
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
