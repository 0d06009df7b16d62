import { describe, expect, it } from 'vitest';
import { DTYPES, type DType, dtypeOf, makeArray, viewBytes } from './dtype.js';
import { checkShape, denseStrides, elementCount } from './shape.js';

describe('dtypes', () => {
  it.each(Object.keys(DTYPES) as DType[])('%s: range, width, array', (dtype) => {
    const { bytes, lo, hi } = DTYPES[dtype];
    const array = makeArray(dtype, 3);
    expect(dtypeOf(array)).toBe(dtype);
    expect(array.BYTES_PER_ELEMENT).toBe(bytes);
    array[0] = lo;
    array[1] = hi;
    array[2] = hi + 1;
    expect([...array]).toEqual([lo, hi, lo]); // one above the range wraps: the range is the whole type
    const shared = viewBytes(dtype, array.buffer, bytes, 2);
    expect(dtypeOf(shared)).toBe(dtype);
    expect([...shared]).toEqual([hi, lo]);
  });
});

describe('shapes', () => {
  it('counts and strides', () => {
    expect(elementCount([])).toBe(1);
    expect(elementCount([2, 3, 4])).toBe(24);
    expect(denseStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(denseStrides([])).toEqual([]);
    expect(() => checkShape([3, -1])).toThrowError(expect.objectContaining({ code: 'E_SHAPE' }));
  });
});
