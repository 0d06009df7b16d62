import { createProgramBuilder, type ValidatedProgram, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { findNeeds } from './needs.js';

const ramp = (count: number): number[] => Array.from({ length: count }, (_, i) => (i % 200) - 100);

/** Pixels [5,6] → linear [5,4] → a head that reads row 0 of it alone; `side` reads all of it. */
function program(): ValidatedProgram {
  const b = createProgramBuilder('pixels', [5, 6]);
  b.constant('table', 'i8', [256], ramp(256));
  b.constant('w', 'i8', [4, 6], ramp(24));
  const x = b.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'table' });
  const sums = b.add({ op: 'linear', result: 'sums', x: { value: x }, w: 'w' });
  b.add({
    op: 'requantize',
    result: 'side',
    x: { value: sums },
    m: 1,
    e: 8,
    z: 0,
    axis: 0,
    run: 0,
    to: 'i8',
  });
  const first = { value: sums, view: { offset: 0, shape: [4], strides: [1] } };
  b.add({ op: 'requantize', result: 'head', x: first, m: 1, e: 4, z: 0, axis: 0, run: 0, to: 'i32' });
  return validate(b.build({ output: 'head' }), { fragment: true });
}

describe('findNeeds', () => {
  it('follows a view of the first row back to the pixels, and leaves out what nothing kept needs', () => {
    const needs = findNeeds(program(), ['head']);
    expect(Object.fromEntries(needs)).toEqual({ head: [4], sums: [1, 4], x: [1, 6], pixels: [1, 6] });
  });

  it('keeps a value whole that is asked for', () => {
    expect(findNeeds(program(), ['head', 'x']).get('x')).toEqual([5, 6]);
    expect(findNeeds(program(), ['head', 'side']).get('sums')).toEqual([5, 4]);
  });

  it('takes heads apart: one query row needs all keys, and that row of each head', () => {
    const b = createProgramBuilder('pixels', [5, 12]);
    b.constant('table', 'i8', [256], ramp(256));
    const x = b.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'table' });
    const queries = { value: x, view: { offset: 0, shape: [2, 5, 3], strides: [3, 12, 1] } };
    const keys = { value: x, view: { offset: 6, shape: [2, 3, 5], strides: [3, 1, 12] } };
    const products = b.add({ op: 'matmul', result: 'products', a: queries, b: keys });
    const row = { value: products, view: { offset: 0, shape: [2, 5], strides: [25, 1] } };
    b.add({ op: 'requantize', result: 'head', x: row, m: 1, e: 4, z: 0, axis: 0, run: 0, to: 'i32' });
    const needs = findNeeds(validate(b.build({ output: 'head' }), { fragment: true }), ['head']);
    expect(needs.get('products')).toEqual([2, 1, 5]);
    expect(needs.get('x')).toEqual([5, 12]);
  });

  it('takes the whole where a view crosses rows or walks backwards', () => {
    for (const view of [
      { offset: 4, shape: [4], strides: [1] },
      { offset: 23, shape: [4], strides: [-1] },
      { offset: 0, shape: [2], strides: [7] },
    ]) {
      const b = createProgramBuilder('pixels', [4, 6]);
      b.constant('table', 'i8', [256], ramp(256));
      const x = b.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'table' });
      const part = { value: x, view };
      b.add({ op: 'requantize', result: 'head', x: part, m: 1, e: 0, z: 0, axis: 0, run: 0, to: 'i32' });
      const needs = findNeeds(validate(b.build({ output: 'head' }), { fragment: true }), ['head']);
      const box = needs.get('x') ?? [];
      const reached = Array.from({ length: view.shape[0] ?? 0 }, (_, i) => view.offset + i * (view.strides[0] ?? 0));
      for (const index of reached) {
        expect(Math.floor(index / 6)).toBeLessThan(box[0] ?? 0);
        expect(index % 6).toBeLessThan(box[1] ?? 0);
      }
    }
  });
});
