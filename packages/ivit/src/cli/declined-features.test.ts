import { describe, expect, it } from 'vitest';
import { declinedText } from './declined-features.js';

describe('declinedText', () => {
  it.each([
    ['relaxed-simd:unsupported', /does not know its operations/],
    ['relaxed-simd:no-module', /a module was passed in/],
    ['relaxed-simd:inexact', /not exact/],
    ['relaxed-simd:slower', /in a race it was not faster/],
    ['relaxed-simd:not-with-128', /may hold -128/],
    ['threads:no-shared-memory', /no SharedArrayBuffer/],
    ['threads:not-isolated', /COOP and COEP/],
    ['threads:no-workers', /no workers/],
    ['threads:one-core', /one core/],
    ['threads:asked', /as asked/],
    ['subgroups:driver', /^not used: subgroups:driver$/],
    ['constructor', /^not used: constructor$/],
  ])('says %s in words', (declined, says) => {
    expect(declinedText(declined)).toMatch(says);
  });
});
