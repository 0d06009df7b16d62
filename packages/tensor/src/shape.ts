import { tensorError } from './errors.js';

/** Largest rank of a value or view. */
export const MAX_RANK = 6;

/** Product of the sizes; 1 for rank 0. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/** Row-major strides in elements: the last is 1. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/**
 * Checks rank ≤ 6, sizes integers ≥ 1, and fewer than 2^53 elements.
 * @throws RangeError (E_SHAPE)
 */
export function checkShape(shape: readonly number[]): void {
  if (shape.length > MAX_RANK) throw tensorError('E_SHAPE', `rank ${shape.length} is above ${MAX_RANK}`);
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 1) throw tensorError('E_SHAPE', `size ${size} in [${shape.join(', ')}]`);
  }
  if (!Number.isSafeInteger(elementCount(shape))) throw tensorError('E_SHAPE', `[${shape.join(', ')}] is too large`);
}
