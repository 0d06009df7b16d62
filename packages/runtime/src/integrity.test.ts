import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../test/code-of.js';
import { checkIntegrity, parseIntegrity } from './integrity.js';

describe('integrity', () => {
  it('reads hex and base64 alike', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (digest) => {
        const buffer = Buffer.from(digest);
        const hex = buffer.toString('hex');
        expect(parseIntegrity(`sha256-${hex}`)).toBe(hex);
        expect(parseIntegrity(`sha256-${hex.toUpperCase()}`)).toBe(hex);
        expect(parseIntegrity(`sha256-${buffer.toString('base64')}`)).toBe(hex);
      }),
    );
  });

  it('accepts the right bytes and names both digests for others', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const integrity = `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
    checkIntegrity(bytes, integrity, 'file');
    expect(() => checkIntegrity(Uint8Array.of(1, 2, 4), integrity, 'some.safetensors')).toThrow(
      /sha256 is [0-9a-f]{64}, expected [0-9a-f]{64} \(some\.safetensors\)/,
    );
  });

  it.each(['', 'sha256-', 'sha384-AAAA', `sha256-${'g'.repeat(64)}`, `sha256-${'A'.repeat(42)}`])(
    'refuses %j',
    async (text) => {
      expect(await codeOf(() => parseIntegrity(text))).toBe('E_INTEGRITY');
    },
  );
});
