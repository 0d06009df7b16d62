import type { TensorReference } from '../pickle/values.js';
import { BYTES_PER_ELEMENT } from '../safetensors/dtypes.js';

/** Whether a view is dense and row-major: a window of its storage. Strides of sizes 0 and 1 do not matter. */
export function isDense({ shape, strides }: TensorReference): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] as number;
    if (size > 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** Elements of a view. */
export function countOf({ shape }: TensorReference): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The elements of a view in row-major order, in fresh memory; `storage` are the storage's bytes. */
export function copyStrided(tensor: TensorReference, storage: Uint8Array): Uint8Array {
  const { shape, strides, offset } = tensor;
  const width = BYTES_PER_ELEMENT[tensor.storage.dtype];
  const count = countOf(tensor);
  const out = new Uint8Array(count * width);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let at = 0; at < count; at += 1) {
    for (let byte = 0; byte < width; byte += 1) out[at * width + byte] = storage[from * width + byte] as number;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const next = (index[axis] as number) + 1;
      from += strides[axis] as number;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        break;
      }
      from -= next * (strides[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}
