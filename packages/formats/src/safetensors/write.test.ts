import { describe, expect, it } from 'vitest';
import { refusal } from '../../test/raw-file.js';
import { readSafetensors } from './read.js';
import type { TensorSource } from './types.js';
import { writeSafetensors } from './write.js';

function tensor(name: string, overrides: Partial<TensorSource> = {}): TensorSource {
  return { name, dtype: 'U8', shape: [2], bytes: Uint8Array.of(1, 2), ...overrides };
}

describe('writeSafetensors', () => {
  it('writes these bytes', () => {
    const wide = tensor('w', { dtype: 'I32', shape: [1], bytes: Uint8Array.of(4, 0, 0, 0) });
    const file = writeSafetensors([tensor('b'), wide, tensor('a', { bytes: Uint8Array.of(8, 9) })], {
      z: 'é"\n',
      a: '',
    });
    const header =
      '{"__metadata__":{"a":"","z":"é\\"\\n"},' +
      '"w":{"dtype":"I32","shape":[1],"data_offsets":[0,4]},' +
      '"a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},' +
      '"b":{"dtype":"U8","shape":[2],"data_offsets":[6,8]}}';
    const text = Buffer.from(header);
    const padding = (8 - (text.length % 8)) % 8;
    const length = Buffer.alloc(8);
    length.writeUInt32LE(text.length + padding);
    const data = [4, 0, 0, 0, 8, 9, 1, 2];
    expect(Buffer.from(file)).toStrictEqual(
      Buffer.concat([length, text, Buffer.alloc(padding, ' '), Buffer.from(data)]),
    );
  });

  it('does not depend on the order of its input', () => {
    const tensors = ['c', 'a', 'b'].map((name) => tensor(name));
    const forward = writeSafetensors(tensors, { x: '1', y: '2' });
    expect(writeSafetensors([...tensors].reverse(), { y: '2', x: '1' })).toStrictEqual(forward);
    expect(tensors.map(({ name }) => name)).toStrictEqual(['c', 'a', 'b']);
  });

  it('writes an empty file', () => {
    expect(writeSafetensors([]).length).toBe(16);
    expect(readSafetensors(writeSafetensors([])).tensors.size).toBe(0);
  });

  it.each<[string, readonly TensorSource[], Record<string, string>, string]>([
    ['a name twice', [tensor('a'), tensor('a')], {}, 'DUPLICATE'],
    ['an empty name', [tensor('')], {}, 'NAME'],
    ['__metadata__ as a name', [tensor('__metadata__')], {}, 'NAME'],
    ['__proto__ as a name', [tensor('__proto__')], {}, 'NAME'],
    ['constructor as a metadata key', [], { constructor: 'x' }, 'NAME'],
    ['half a surrogate pair in a name', [tensor('a\ud800')], {}, 'UTF8'],
    ['half a surrogate pair in a value', [], { a: '\udc00' }, 'UTF8'],
    ['a name of 4097 bytes', [tensor(`${'é'.repeat(2048)}x`)], {}, 'LIMIT'],
    ['a fraction in a shape', [tensor('a', { shape: [0.5, 4] })], {}, 'SHAPE'],
    ['a negative dimension', [tensor('a', { shape: [-1, -2] })], {}, 'SHAPE'],
    ['a product past 2^53', [tensor('a', { shape: [2 ** 52, 2 ** 52] })], {}, 'SHAPE'],
    ['a rank of 17', [tensor('a', { shape: [2, ...Array<number>(16).fill(1)] })], {}, 'SHAPE'],
    ['too many bytes', [tensor('a', { shape: [1] })], {}, 'SIZE'],
    ['too few bytes', [tensor('a', { dtype: 'I16' })], {}, 'SIZE'],
    ['an unknown dtype', [tensor('a', JSON.parse('{"dtype":"F8"}'))], {}, 'DTYPE'],
    ['a metadata value that is a number', [], JSON.parse('{"a":1}'), 'METADATA'],
  ])('refuses %s', (_what, tensors, metadata, code) => {
    expect(refusal(() => writeSafetensors(tensors, metadata)).code).toBe(`E_SAFETENSORS_${code}`);
  });

  it('takes a name of 4096 bytes', () => {
    const name = 'é'.repeat(2048);
    expect(readSafetensors(writeSafetensors([tensor(name)])).tensors.has(name)).toBe(true);
  });
});
