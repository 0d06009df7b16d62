import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BYTES_PER_ELEMENT, type SafetensorsDType } from './dtypes.js';
import { readSafetensors } from './read.js';
import type { TensorSource } from './types.js';
import { writeSafetensors } from './write.js';

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const RESERVED = ['__proto__', 'constructor', 'prototype', '__metadata__', ''];
const name = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !RESERVED.includes(text));
const dtype = fc.constantFrom(...(Object.keys(BYTES_PER_ELEMENT) as SafetensorsDType[]));

const tensor: fc.Arbitrary<TensorSource> = fc
  .record({ name, dtype, shape: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }), seed: fc.nat() })
  .map(({ seed, ...rest }) => {
    const size = rest.shape.reduce((product, dimension) => product * dimension, BYTES_PER_ELEMENT[rest.dtype]);
    return { ...rest, bytes: Uint8Array.from({ length: size }, (_, i) => Math.imul(seed + i, 0x9e3779b1) >>> 24) };
  });

const tensors = fc.uniqueArray(tensor, { selector: (one) => one.name, maxLength: 12 });
const metadata = fc.dictionary(name, fc.string({ unit: 'binary' }), { maxKeys: 5 });

describe('safetensors', () => {
  it('reads back what was written, aligned, and writes the same bytes again', () => {
    fc.assert(
      fc.property(tensors, metadata, (sources, strings) => {
        const bytes = writeSafetensors(sources, strings);
        const file = readSafetensors(bytes);
        expect({ ...file.metadata }).toStrictEqual({ ...strings });
        expect(file.tensors.size).toBe(sources.length);
        for (const source of sources) {
          const read = file.tensors.get(source.name);
          if (read === undefined) return expect.fail('a tensor is gone');
          const { offset, bytes: content, ...stated } = read;
          expect({ ...stated, bytes: source.bytes }).toStrictEqual(source);
          expect(offset % BYTES_PER_ELEMENT[source.dtype]).toBe(0);
          expect(same(content, source.bytes)).toBe(true);
          expect(same(bytes.subarray(offset, offset + content.length), content)).toBe(true);
        }
        expect(same(writeSafetensors(file.tensors.values(), file.metadata), bytes)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order of its input', () => {
    fc.assert(
      fc.property(tensors, fc.nat(), (sources, turn) => {
        const cut = sources.length === 0 ? 0 : turn % sources.length;
        const turned = [...sources.slice(cut), ...sources.slice(0, cut)].reverse();
        expect(same(writeSafetensors(turned), writeSafetensors(sources))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('reads headers as JSON.parse does, where both accept them', () => {
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: 'binary' })), fc.nat({ max: 4 }), (strings, indent) => {
        const header = new TextEncoder().encode(JSON.stringify({ __metadata__: strings }, null, indent));
        const bytes = new Uint8Array(8 + header.length);
        new DataView(bytes.buffer).setUint32(0, header.length, true);
        bytes.set(header, 8);
        expect({ ...readSafetensors(bytes).metadata }).toStrictEqual({ ...strings });
      }),
      { numRuns: 300 },
    );
  });
});
