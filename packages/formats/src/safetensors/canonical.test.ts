import { describe, expect, it } from 'vitest';
import { rawFile, refusal } from '../../test/raw-file.js';
import { canonicalHeader } from './canonical.js';
import { DEFAULT_LIMITS, readSafetensors } from './read.js';

const read = (text: string, limits = DEFAULT_LIMITS) => canonicalHeader(new TextEncoder().encode(text), limits);
const entry = (end: number): string => `{"dtype":"I8","shape":[${end}],"data_offsets":[0,${end}]}`;

describe('canonicalHeader', () => {
  it('reads what writers of the format write, spaces at the end included', () => {
    const header = read(`{"__metadata__":{"k":"ä \\"q\\"\\n"},"a":${entry(3)}}   `);
    expect({ ...header?.metadata }).toEqual({ k: 'ä "q"\n' });
    expect(Object.getPrototypeOf(header?.metadata)).toBeNull();
    expect(header?.entries).toEqual([{ name: 'a', dtype: 'I8', shape: [3], begin: 0, end: 3, at: 0 }]);
  });

  it.each([
    ['no object', '[]'],
    ['a tensor that is no object', '{"a":[]}'],
    ['a name of nothing', `{"":${entry(1)}}`],
    ['a name that objects inherit', `{"__proto__":${entry(1)}}`],
    ['a name too long', `{"${'n'.repeat(2000)}":${entry(1)}}`],
    ['a repeated name', `{"a":${entry(1)},"a":${entry(1)}}`],
    ['a repeated field', '{"a":{"dtype":"I8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}'],
    ['a field too many', '{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1],"x":0}}'],
    ['a field too few', '{"a":{"dtype":"I8","shape":[1]}}'],
    ['another field', '{"a":{"dtype":"I8","shape":[1],"offsets":[0,1]}}'],
    ['an unknown dtype', '{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,1]}}'],
    ['a negative size', '{"a":{"dtype":"I8","shape":[-1,-1],"data_offsets":[0,1]}}'],
    ['minus zero', '{"a":{"dtype":"I8","shape":[-0],"data_offsets":[0,0]}}'],
    ['a fraction', '{"a":{"dtype":"I8","shape":[0.5,2],"data_offsets":[0,1]}}'],
    ['a size beyond 2^53', '{"a":{"dtype":"I8","shape":[1e+21],"data_offsets":[0,1e+21]}}'],
    ['a rank above the limit', `{"a":{"dtype":"I8","shape":[${'1,'.repeat(16)}1],"data_offsets":[0,1]}}`],
    ['three offsets', '{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1,1]}}'],
    ['an end before its begin', '{"a":{"dtype":"I8","shape":[1],"data_offsets":[1,0]}}'],
    ['a span of another size', '{"a":{"dtype":"I16","shape":[1],"data_offsets":[0,1]}}'],
    ['metadata that is no object', '{"__metadata__":"x"}'],
    ['metadata that is no text', '{"__metadata__":{"k":1}}'],
    ['a metadata key that objects inherit', '{"__metadata__":{"constructor":"x"}}'],
    ['half a surrogate pair', '{"__metadata__":{"k":"\\ud800"}}'],
    ['white space', `{ "a":${entry(1)}}`],
    ['what is no UTF-8', '\u{feff}{}'],
  ])('leaves %s to the strict reader', (_, text) => {
    expect(read(text)).toBeUndefined();
  });

  it('leaves what passes a limit to the strict reader', () => {
    const two = `{"__metadata__":{"k":"v","l":"w"},"a":${entry(0)},"b":${entry(0)}}`;
    expect(read(two)?.entries.length).toBe(2);
    expect(read(two, { ...DEFAULT_LIMITS, tensors: 1 })).toBeUndefined();
    expect(read(two, { ...DEFAULT_LIMITS, metadataEntries: 1 })).toBeUndefined();
    expect(canonicalHeader(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), DEFAULT_LIMITS)).toBeUndefined();
  });
});

describe('readSafetensors of a canonical header', () => {
  it('gives what it gives for the same header with white space', () => {
    const header = `"__metadata__":{"k":"v"},"b":{"dtype":"I16","shape":[2],"data_offsets":[3,7]},"a":${entry(3)}}`;
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);
    const plain = readSafetensors(rawFile(`{${header} `, data));
    const spaced = readSafetensors(rawFile(`{ ${header}`, data));
    expect(plain).toEqual(spaced);
    expect([...plain.tensors.keys()]).toEqual(['b', 'a']);
  });

  it('names the byte of the entry where tensors do not tile the data', () => {
    const header = `{"a":${entry(3)},"b":${entry(2)}}`;
    const { code, where } = refusal(() => readSafetensors(rawFile(header, 3)));
    expect({ code, where }).toEqual({
      code: 'E_SAFETENSORS_OVERLAP',
      where: `safetensors file, tensor "a", byte ${8 + 1}`,
    });
  });
});
