import { describe, expect, it } from 'vitest';
import { rawFile, refusal } from '../../test/raw-file.js';
import { readSafetensors } from './read.js';

const ONE = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';

/** Header text around one entry for "a"; fields as given. */
function entry(dtype: string, shape: string, offsets: string): string {
  return `{"a":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`;
}

/** Milliseconds of processor time of this process: other work on the machine is not in it. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

describe('readSafetensors', () => {
  it('reads dtypes, shapes, metadata and windows on the bytes', () => {
    const header = `{"__metadata__":{"k":"\\u00e9\\ud83d\\ude00\\n"},"b":{"shape":[],"dtype":"I8","data_offsets":[8,9]},${ONE}}  `;
    const bytes = rawFile(header, Uint8Array.from([0, 0, 128, 63, 0, 0, 0, 192, 255]));
    const file = readSafetensors(bytes);
    expect({ ...file.metadata }).toEqual({ k: 'é😀\n' });
    expect(Object.getPrototypeOf(file.metadata)).toBeNull();
    expect([...file.tensors.keys()]).toEqual(['b', 'a']);
    const a = file.tensors.get('a');
    expect(a).toMatchObject({ name: 'a', dtype: 'F32', shape: [2], offset: bytes.length - 9 });
    expect(a?.bytes.buffer).toBe(bytes.buffer);
    expect(file.tensors.get('b')).toMatchObject({ dtype: 'I8', shape: [], offset: bytes.length - 1 });
    expect([...(file.tensors.get('b')?.bytes ?? [])]).toEqual([255]);
  });

  it('reads a file that lies inside a larger buffer, a Buffer and an empty file', () => {
    const bytes = rawFile(`{${ONE}}`, 8);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(readSafetensors(shifted.subarray(3)).tensors.get('a')?.bytes.length).toBe(8);
    expect(readSafetensors(Buffer.from(bytes)).tensors.get('a')?.bytes.constructor).toBe(Uint8Array);
    expect(readSafetensors(rawFile('{}')).tensors.size).toBe(0);
  });

  it('keeps tensors without elements', () => {
    const zero =
      '{"z":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"y":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}';
    expect(readSafetensors(rawFile(zero)).tensors.size).toBe(2);
  });

  it('keeps names that objects inherit harmless', () => {
    const file = readSafetensors(
      rawFile('{"toString":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"__metadata__":{"valueOf":"x"}}'),
    );
    expect(file.tensors.get('hasOwnProperty')).toBeUndefined();
    expect(file.tensors.has('toString')).toBe(true);
    expect(file.metadata['hasOwnProperty']).toBeUndefined();
  });

  const hostile: readonly (readonly [what: string, bytes: Uint8Array, code: string, where: RegExp])[] = [
    ['an empty file', new Uint8Array(0), 'TRUNCATED', /byte 0/],
    ['seven bytes', new Uint8Array(7), 'TRUNCATED', /byte 0/],
    ['a header length of 0', rawFile(''), 'HEADER_SIZE', /byte 0/],
    ['a header length of 2^64 - 1', rawFile('{}', 0, 2n ** 64n - 1n), 'HEADER_SIZE', /byte 0/],
    ['a header length of 2^63', rawFile('{}', 0, 2n ** 63n), 'HEADER_SIZE', /byte 0/],
    ['a header length of 2^53 + 2', rawFile('{}', 0, 2n ** 53n + 2n), 'HEADER_SIZE', /byte 0/],
    ['a header length just above 100 MB', rawFile('{}', 0, 100_000_001n), 'HEADER_SIZE', /byte 0/],
    ['a header longer than the file', rawFile('{}', 0, 3n), 'TRUNCATED', /byte 0/],
    ['a header of 100 MB in a file of 10 bytes', rawFile('{}', 0, 100_000_000n), 'TRUNCATED', /byte 0/],
    ['data cut short', rawFile(`{${ONE}}`, 7), 'TRUNCATED', /tensor "a", byte 9/],
    ['a header cut short', rawFile(`{${ONE}`, 8), 'JSON', /byte 61/],
    ['white space before the header', rawFile(` {${ONE}}`, 8), 'JSON', /byte 8/],
    ['text behind the header', rawFile(`{${ONE}}x`, 8), 'JSON', /byte 62/],
    ['an array as the header', rawFile('[[[[[[[['), 'JSON', /byte 8/],
    ['nesting inside an entry', rawFile('{"a":{"shape":[[[['), 'JSON', /tensor "a", byte 23/],
    ['nesting where an entry should be', rawFile('{"a":[[[['), 'FIELD', /tensor "a", byte 13/],
    ['a trailing comma', rawFile(`{${ONE},}`, 8), 'JSON', /byte 62/],
    ['a raw control character', rawFile('{"a\n":{}}'), 'JSON', /byte 11/],
    ['a name without end', rawFile('{"aaaa'), 'JSON', /byte 9/],
    ['a name that ends in an escape', rawFile('{"aaaa\\'), 'JSON', /byte 9/],
    ['an unknown escape', rawFile('{"\\x41":{}}'), 'JSON', /byte 11/],
    ['a short \\u escape', rawFile('{"\\u12"}'), 'JSON', /byte 14/],
    ['half a surrogate pair', rawFile('{"\\ud800":{}}'), 'UTF8', /byte 10/],
    ['a low surrogate alone', rawFile('{"\\udc00x":{}}'), 'UTF8', /byte 10/],
    ['invalid UTF-8 in a name', rawFile(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a])), 'UTF8', /byte 9/],
    ['overlong UTF-8 in a name', rawFile(Uint8Array.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a])), 'UTF8', /byte 9/],
    ['a byte order mark', rawFile(Uint8Array.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])), 'JSON', /byte 8/],
    [
      '__proto__ as a tensor',
      rawFile('{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      'NAME',
      /byte 9/,
    ],
    [
      'an escaped __proto__',
      rawFile('{"\\u005f_proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      'NAME',
      /byte 9/,
    ],
    ['__proto__ in the metadata', rawFile('{"__metadata__":{"__proto__":"x"}}'), 'NAME', /byte 25/],
    ['__proto__ in an entry', rawFile('{"a":{"__proto__":{}}}'), 'NAME', /tensor "a", byte 14/],
    ['constructor as a tensor', rawFile('{"constructor":{}}'), 'NAME', /byte 9/],
    ['an empty name', rawFile('{"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), 'NAME', /byte 9/],
    ['a tensor twice', rawFile(`{${ONE},${ONE}}`, 8), 'DUPLICATE', /byte 62/],
    ['a tensor twice, once escaped', rawFile(`{${ONE},"\\u0061":{}}`, 8), 'DUPLICATE', /byte 62/],
    ['the metadata twice', rawFile('{"__metadata__":{},"__metadata__":{}}'), 'DUPLICATE', /byte 27/],
    ['a metadata key twice', rawFile('{"__metadata__":{"k":"1","k":"2"}}'), 'DUPLICATE', /byte 33/],
    ['a field twice', rawFile('{"a":{"dtype":"U8","dtype":"U8"}}'), 'DUPLICATE', /tensor "a", byte 27/],
    ['metadata that is a string', rawFile('{"__metadata__":"x"}'), 'METADATA', /byte 24/],
    ['metadata that is null', rawFile('{"__metadata__":null}'), 'METADATA', /byte 24/],
    ['a metadata value that is a number', rawFile('{"__metadata__":{"k":1}}'), 'METADATA', /byte 29/],
    ['a metadata value that is an object', rawFile('{"__metadata__":{"k":{}}}'), 'METADATA', /byte 29/],
    [
      'an unknown field',
      rawFile('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}'),
      'FIELD',
      /tensor "a", byte 60/,
    ],
    ['a missing dtype', rawFile('{"a":{"shape":[0],"data_offsets":[0,0]}}'), 'FIELD', /tensor "a", byte 9/],
    ['a missing shape', rawFile('{"a":{"dtype":"U8","data_offsets":[0,0]}}'), 'FIELD', /tensor "a", byte 9/],
    ['missing offsets', rawFile('{"a":{"dtype":"U8","shape":[0]}}'), 'FIELD', /tensor "a", byte 9/],
    ['an unknown dtype', rawFile(entry('"F8_E4M3"', '[2]', '[0,2]'), 2), 'DTYPE', /tensor "a", byte 22/],
    ['a dtype in small letters', rawFile(entry('"f32"', '[2]', '[0,8]'), 8), 'DTYPE', /tensor "a", byte 22/],
    ['an inherited name as dtype', rawFile(entry('"toString"', '[2]', '[0,8]'), 8), 'DTYPE', /tensor "a", byte 22/],
    ['a dtype that is a number', rawFile(entry('4', '[2]', '[0,8]'), 8), 'DTYPE', /tensor "a", byte 22/],
    ['a shape that is a number', rawFile(entry('"F32"', '2', '[0,8]'), 8), 'SHAPE', /tensor "a", byte 36/],
    ['a negative dimension', rawFile(entry('"F32"', '[-2]', '[0,8]'), 8), 'SHAPE', /tensor "a", byte 36/],
    ['two negative dimensions', rawFile(entry('"F32"', '[-2,-1]', '[0,8]'), 8), 'SHAPE', /tensor "a", byte 36/],
    ['a fraction as dimension', rawFile(entry('"F32"', '[2.0]', '[0,8]'), 8), 'SHAPE', /tensor "a", byte 37/],
    ['an exponent in a dimension', rawFile(entry('"F32"', '[2e0]', '[0,8]'), 8), 'SHAPE', /tensor "a", byte 37/],
    ['minus zero as dimension', rawFile(entry('"F32"', '[-0]', '[0,0]')), 'SHAPE', /tensor "a", byte 37/],
    ['a dimension of 2^53', rawFile(entry('"U8"', '[9007199254740992]', '[0,8]'), 8), 'SHAPE', /tensor "a", byte 36/],
    [
      'a dimension of 400 digits',
      rawFile(entry('"U8"', `[${'9'.repeat(400)}]`, '[0,8]'), 8),
      'SHAPE',
      /tensor "a", byte 36/,
    ],
    ['a product past 2^53', rawFile(entry('"U8"', '[4294967296,4294967296]', '[0,0]')), 'SHAPE', /tensor "a", byte 9/],
    [
      'a product that is 0 mod 2^64',
      rawFile(entry('"F64"', '[4294967296,536870912]', '[0,0]')),
      'SHAPE',
      /tensor "a", byte 9/,
    ],
    [
      'an overflow hidden by a zero',
      rawFile(entry('"F64"', '[9007199254740991,0]', '[0,0]')),
      'SHAPE',
      /tensor "a", byte 9/,
    ],
    ['a leading zero', rawFile(entry('"F32"', '[02]', '[0,8]'), 8), 'JSON', /tensor "a", byte 37/],
    ['a string as dimension', rawFile(entry('"F32"', '["2"]', '[0,8]'), 8), 'JSON', /tensor "a", byte 37/],
    ['a rank of 17', rawFile(entry('"U8"', `[${'1,'.repeat(16)}1]`, '[0,1]'), 1), 'LIMIT', /tensor "a", byte 68/],
    ['offsets that run backwards', rawFile(entry('"F32"', '[2]', '[8,0]'), 8), 'OFFSETS', /tensor "a", byte 9/],
    ['a negative offset', rawFile(entry('"F32"', '[2]', '[-8,0]'), 8), 'OFFSETS', /tensor "a", byte 9/],
    ['one offset', rawFile(entry('"F32"', '[2]', '[8]'), 8), 'OFFSETS', /tensor "a", byte 9/],
    ['three offsets', rawFile(entry('"F32"', '[2]', '[0,8,8]'), 8), 'OFFSETS', /tensor "a", byte 9/],
    [
      'an offset of 2^64',
      rawFile(entry('"F32"', '[2]', '[0,18446744073709551616]'), 8),
      'OFFSETS',
      /tensor "a", byte \d+/,
    ],
    ['offsets that are an object', rawFile(entry('"F32"', '[2]', '{}'), 8), 'OFFSETS', /tensor "a", byte 55/],
    ['offsets outside the file', rawFile(entry('"F32"', '[2]', '[4,12]'), 8), 'TRUNCATED', /tensor "a", byte 9/],
    [
      'offsets far outside the file',
      rawFile(entry('"U8"', '[9007199254740991]', '[0,9007199254740991]')),
      'TRUNCATED',
      /tensor "a", byte 9/,
    ],
    ['a span that does not fit the shape', rawFile(entry('"F32"', '[3]', '[0,8]'), 8), 'SIZE', /tensor "a", byte 9/],
    ['a span that does not fit the dtype', rawFile(entry('"F64"', '[2]', '[0,8]'), 8), 'SIZE', /tensor "a", byte 9/],
    [
      'two tensors on the same bytes',
      rawFile(`{${ONE},${ONE.replace('"a"', '"b"')}}`, 8),
      'OVERLAP',
      /tensor "b", byte 62/,
    ],
    [
      'two tensors that overlap by a byte',
      rawFile(`{${ONE},"b":{"dtype":"U8","shape":[3],"data_offsets":[7,10]}}`, 10),
      'OVERLAP',
      /tensor "b", byte 62/,
    ],
    [
      'an empty tensor inside another',
      rawFile(`{${ONE},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}`, 8),
      'OVERLAP',
      /tensor "b", byte 62/,
    ],
    ['a hole at the start', rawFile(entry('"U8"', '[4]', '[4,8]'), 8), 'HOLE', /tensor "a", byte \d+/],
    [
      'a hole between two tensors',
      rawFile(`{${ONE},"b":{"dtype":"U8","shape":[1],"data_offsets":[9,10]}}`, 10),
      'HOLE',
      /tensor "b", byte \d+/,
    ],
    ['bytes behind the last tensor', rawFile(`{${ONE}}`, 9), 'HOLE', /byte 70/],
    ['data without tensors', rawFile('{}', 1), 'HOLE', /byte 10/],
  ];
  it.each(hostile)('refuses %s', (_what, bytes, code, where) => {
    const error = refusal(() => readSafetensors(bytes, { where: 'x.safetensors' }));
    expect(error.code).toBe(`E_SAFETENSORS_${code}`);
    expect(error.where).toMatch(/^x\.safetensors, /);
    expect(error.where).toMatch(new RegExp(`${where.source}$`));
    expect(error.message).toContain(error.where);
    expect(error.hint?.length).toBeGreaterThan(10);
  });

  it('keeps to the limits it is given', () => {
    const header = `{"__metadata__":{"j":"","k":""},${ONE},"b":{"dtype":"U8","shape":[0],"data_offsets":[8,8]}}`;
    const bytes = rawFile(header, 8);
    expect(
      readSafetensors(bytes, { limits: { tensors: 2, metadataEntries: 2, rank: 2, headerBytes: header.length } })
        .tensors.size,
    ).toBe(2);
    expect(refusal(() => readSafetensors(bytes, { limits: { tensors: 1 } })).where).toMatch(/tensor "b", byte \d+$/);
    for (const limits of [{ tensors: 1 }, { tensors: 0 }, { metadataEntries: 1 }, { rank: 1 }]) {
      expect(refusal(() => readSafetensors(bytes, { limits })).code).toBe('E_SAFETENSORS_LIMIT');
    }
    const short = refusal(() => readSafetensors(bytes, { limits: { headerBytes: header.length - 1 } }));
    expect(short.code).toBe('E_SAFETENSORS_HEADER_SIZE');
  });

  describe('stays quick and small on large hostile headers', () => {
    /** `head`, then `unit` again and again up to 100 MB of header. */
    const filled = (head: string, unit: string): Uint8Array => {
      const file = new Uint8Array(8 + 100_000_000);
      new DataView(file.buffer).setUint32(0, 100_000_000, true);
      const start = new TextEncoder().encode(head + unit);
      file.set(start, 8);
      let period = unit.length;
      for (let at = 8 + start.length; at < file.length; ) {
        const size = Math.min(period, file.length - at);
        file.copyWithin(at, 8 + head.length, 8 + head.length + size);
        at += size;
        period += size;
      }
      return file;
    };
    const timed = (bytes: Uint8Array): { readonly code: string; readonly milliseconds: number } => {
      const start = processorTime();
      const { code } = refusal(() => readSafetensors(bytes));
      return { code, milliseconds: processorTime() - start };
    };

    it('10^6 tensors', () => {
      const members = Array.from(
        { length: 1_000_000 },
        (_, i) => `"t${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
      );
      const { code, milliseconds } = timed(rawFile(`{${members.join(',')}}`));
      expect(code).toBe('E_SAFETENSORS_LIMIT');
      expect(milliseconds).toBeLessThan(5000);
    });

    it('100,000 tensors are read', () => {
      const members = Array.from(
        { length: 100_000 },
        (_, i) => `"t${i}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`,
      );
      const start = processorTime();
      expect(readSafetensors(rawFile(`{${members.join(',')}}`, 100_000)).tensors.size).toBe(100_000);
      expect(processorTime() - start).toBeLessThan(5000);
    });

    it.each([
      ['arrays', '{"a":', '[', 'FIELD'],
      ['objects', '', '{"a":', 'FIELD'],
      ['arrays in a shape', '{"a":{"shape":', '[', 'JSON'],
      ['quotes', '{"a":', '"', 'FIELD'],
      ['digits', '{"a":{"shape":[', '9', 'SHAPE'],
      ['dimensions', '{"a":{"shape":[1', ',1', 'LIMIT'],
      ['escapes without an end', '{"__metadata__":{"k":"', '\\n', 'JSON'],
      ['a name without an end', '{"', 'x', 'LIMIT'],
      ['spaces', '{', ' ', 'JSON'],
      ['nothing but zero bytes', '{', '\0', 'JSON'],
    ])('100 MB of %s', (_what, head, unit, code) => {
      const result = timed(filled(head, unit));
      expect(result.code).toBe(`E_SAFETENSORS_${code}`);
      expect(result.milliseconds).toBeLessThan(3000);
    });
  });
});
