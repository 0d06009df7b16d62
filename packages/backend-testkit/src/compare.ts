import type { Outputs } from '@ivit/backend';
import { DTYPES, elementCount, type IntegerArray } from '@ivit/tensor';
import { type Case, digestOf, expectedOf, opOf, typeOf } from './case.js';

/** `[1,3,4]` of element 17 of `[2,3,4]`-shaped images. */
function indexIn(shape: readonly number[], flat: number): string {
  const index: number[] = [];
  let rest = flat;
  for (const size of [...shape].reverse()) {
    const own = rest % size;
    index.unshift(own);
    rest = (rest - own) / size; // float-ok: rest - own is a multiple of size
  }
  return `[${index.join(',')}]`;
}

/** How a tensor is no right tensor of this value and batch, or undefined. */
function malformed(one: Case, value: string, batch: number, outputs: Outputs): string | undefined {
  const tensor = Object.hasOwn(outputs, value) ? outputs[value] : undefined;
  if (tensor === undefined) return `expected an output, got none (outputs: ${Object.keys(outputs).join(', ')})`;
  const { dtype, shape } = typeOf(one.program, value);
  if (tensor.dtype !== dtype) return `expected dtype ${dtype}, got ${tensor.dtype}`;
  const wanted = [batch, ...shape].join(',');
  if (tensor.shape.join(',') !== wanted) return `expected shape [${wanted}], got [${tensor.shape.join(',')}]`;
  const { data } = tensor;
  const kind = { u8: Uint8Array, i8: Int8Array, i16: Int16Array, i32: Int32Array }[dtype];
  if (!(data instanceof kind))
    return `expected data of class ${kind.name}, got ${Object.prototype.toString.call(data)}`;
  const count = batch * elementCount(shape);
  if (data.length !== count || data.byteLength !== count * DTYPES[dtype].bytes) {
    return `expected ${count} elements, got ${data.length}`;
  }
  return undefined;
}

/**
 * The first difference between a run's outputs and the case, in op order, as a sentence that names op, vector, value, index,
 * expected and got; undefined where every bit is right.
 *
 * @param values the values to compare
 * @param first image of the case that is the run's image 0
 * @param batch images of the run
 */
export function difference(
  one: Case,
  values: readonly string[],
  outputs: Outputs,
  how: string,
  first = 0,
  batch = one.batch,
): string | undefined {
  for (const value of values) {
    const place = `${opOf(one.program, value)} '${value}' of ${one.subject} ${one.id} (${how})`;
    const wrong = malformed(one, value, batch, outputs);
    if (wrong !== undefined) return `${place}: ${wrong}`;
    const data = outputs[value]?.data;
    if (data === undefined) continue;
    const stored = first === 0 && batch === one.batch ? one.digest(value) : undefined;
    if (stored !== undefined && digestOf(data) === stored) continue;
    const found = firstDifference(one, value, data, first, batch);
    if (found !== undefined) {
      const catches = one.catches.length === 0 ? '' : `; this vector catches: ${one.catches.join('; ')}`;
      return `${place}: ${found}${catches}`;
    }
    if (stored !== undefined) {
      return `${place}: the sha256 is ${digestOf(data)}, expected ${stored}, but the exact interpreter agrees: the vector is damaged`;
    }
  }
  return undefined;
}

function firstDifference(
  one: Case,
  value: string,
  data: IntegerArray,
  first: number,
  batch: number,
): string | undefined {
  const { shape } = typeOf(one.program, value);
  const count = elementCount(shape);
  for (let image = 0; image < batch; image++) {
    const expected = expectedOf(one, value, first + image);
    for (let i = 0; i < count; i++) {
      const got = data[image * count + i] as number;
      if (got !== expected[i]) {
        return `image ${image}, index ${indexIn(shape, i)} (element ${i} of ${count}): expected ${expected[i]}, got ${got}`;
      }
    }
  }
  return undefined;
}
