import { expect, test } from 'vitest';
import { PAGES, readArguments } from './arguments.js';

test('names nothing, pages in their own order, or golden models', () => {
  expect(readArguments([]).pages).toEqual(PAGES);
  expect(readArguments([]).golden).toEqual(expect.arrayContaining(['tiny_vit', 'tiny_vit_digits']));
  expect(readArguments(['--', 'golden', 'page']).pages).toEqual(['page', 'golden']);
  expect(readArguments(['golden', '--golden', 'deit_tiny']).golden).toEqual(['deit_tiny']);
  expect(() => readArguments(['pages'])).toThrow(RangeError);
  expect(() => readArguments(['--gold', 'x'])).toThrow(TypeError);
});
