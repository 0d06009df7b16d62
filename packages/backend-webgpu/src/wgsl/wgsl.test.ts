import { describe, expect, it } from 'vitest';
import { divide } from './divide.wgsl.js';
import { exponential } from './exponential.wgsl.js';
import { narrow } from './narrow.wgsl.js';
import { norm } from './norm.wgsl.js';
import { packed } from './packed.wgsl.js';
import { requantize } from './requantize.wgsl.js';
import { rows } from './rows.wgsl.js';
import { wide } from './wide.wgsl.js';

const texts = { wide, requantize, narrow, divide, norm, exponential, rows, packed };
const codeOf = (text: string): string => text.replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');
const declared = (text: string): string[] => [...text.matchAll(/\bfn (\w+)/g)].map((found) => found[1] as string);

describe('integer WGSL', () => {
  it.each(Object.entries(texts))('%s has no floating-point type, literal or function', (_, text) => {
    const code = codeOf(text);
    expect(code).not.toMatch(/\bf(32|16)\b|\d\.\d|\d[fh]\b|\b(floor|round|sqrt|exp|exp2|log|log2|pow|fma|mix)\(/);
    expect(code).not.toMatch(/vec[234]f|vec[234]h/);
  });

  it('declares each function once, and calls only what is declared or built in', () => {
    const all = Object.values(texts).join('\n');
    const names = declared(all);
    expect(new Set(names).size).toBe(names.length);
    const builtIn = ['select', 'clamp', 'min', 'max', 'abs', 'extractBits', 'countLeadingZeros', 'firstLeadingBit'];
    const known = new Set([...names, ...builtIn, 'u32', 'i32', 'if', 'for', 'return']);
    const called = [...codeOf(all).matchAll(/\b([a-z]\w*)\(/g)].map((found) => found[1] as string);
    expect(called.filter((name) => !known.has(name))).toEqual([]);
  });
});
