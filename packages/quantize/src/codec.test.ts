import { describe, expect, it } from 'vitest';
import { decodeTree, digest, encodeTree } from './codec.js';

const tree = {
  name: 'x',
  numbers: [1, -0.1, 5e-324, 1.7976931348623157e308],
  nested: { weights: Int8Array.of(-128, 127, 3), none: [] },
  list: [Float32Array.of(0.1, -2), Int16Array.of(-32768), Int32Array.of(2 ** 31 - 1, -(2 ** 31))],
};

describe('encodeTree', () => {
  it('comes back as it was', () => {
    expect(decodeTree(encodeTree(tree))).toEqual(tree);
    const moved = new Uint8Array(1 + encodeTree(tree).length);
    moved.set(encodeTree(tree), 1);
    expect(decodeTree(moved.subarray(1))).toEqual(tree);
  });

  it('is the same bytes for the same tree', () => {
    expect(encodeTree(tree)).toEqual(encodeTree(structuredClone(tree)));
  });

  it('gives nothing for damaged or short bytes', () => {
    const bytes = encodeTree(tree);
    for (const at of [0, 33, 60, bytes.length - 1]) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ 4;
      expect(decodeTree(damaged)).toBeUndefined();
    }
    for (const length of [0, 10, 36, bytes.length - 1]) expect(decodeTree(bytes.subarray(0, length))).toBeUndefined();
  });
});

describe('digest', () => {
  it('is the sha256 of the chunks joined', () => {
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(digest([new TextEncoder().encode('a'), new TextEncoder().encode('bc')])).toBe(expected);
  });
});
