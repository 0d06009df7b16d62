import { describe, expect, it } from 'vitest';
import { builtinSha256, portableSha256, sha256Hex } from './sha256.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

// FIPS 180-4 examples.
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe.each([
  ['the one in use', sha256Hex],
  ['portable', portableSha256],
  ['builtin', builtinSha256(process)],
])('sha256, %s', (_, digest) => {
  it('gives the published digests, however the bytes are cut', () => {
    expect(digest?.([])).toBe(EMPTY);
    expect(digest?.([text('abc')])).toBe(ABC);
    expect(digest?.([text('a'), new Uint8Array(0), text('bc')])).toBe(ABC);
    // A window on a larger buffer, as a tensor of a file is.
    expect(digest?.([text('xxabcxx').subarray(2, 5)])).toBe(ABC);
  });

  it('agrees with the portable one on long chunks', () => {
    const bytes = Uint8Array.from({ length: 100_003 }, (_, i) => i * 7);
    expect(digest?.([bytes.subarray(0, 64), bytes.subarray(64)])).toBe(portableSha256([bytes]));
  });
});

describe('builtinSha256', () => {
  it('is absent where the engine offers none', () => {
    for (const host of [undefined, null, {}, { getBuiltinModule: 1 }, { getBuiltinModule: () => undefined }]) {
      expect(builtinSha256(host)).toBeUndefined();
    }
  });
});
