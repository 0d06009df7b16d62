import { describe, expect, it } from 'vitest';
import { parseCanonical } from './canonical.js';

describe('parseCanonical', () => {
  it('reads what JSON.stringify writes', () => {
    const tree = { b: [1, -2, 9007199254740991], a: { t: 'ä "quoted"\n', n: null, f: false } };
    expect(parseCanonical(JSON.stringify(tree))).toEqual(tree);
  });

  it.each([
    ['a repeated key', '{"a":1,"a":1}'],
    ['white space', '{"a": 1}'],
    ['minus zero', '[-0]'],
    ['a fraction that is an integer', '[1.0]'],
    ['an exponent', '[1e3]'],
    ['an integer beyond a double', '[9007199254740993]'],
    ['a leading zero', '[01]'],
    ['an escape that need not be', '["\\u0041"]'],
    ['a damaged text', '{"a":1'],
    ['a bottomless nest', '['.repeat(500_000) + ']'.repeat(500_000)],
    ['a text too long', JSON.stringify('x'.repeat(2_000_000))],
  ])('leaves %s to the strict reader', (_, text) => {
    expect(parseCanonical(text)).toBeUndefined();
  });
});
