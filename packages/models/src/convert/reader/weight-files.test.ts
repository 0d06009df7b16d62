import { type TensorSource, writeSafetensors } from '@ivit/formats/safetensors';
import { describe, expect, it } from 'vitest';
import { readWeights, shardNames } from './weight-files.js';

const INDEX = 'model.safetensors.index.json';

function tensor(name: string): TensorSource {
  return { name, dtype: 'U8', shape: [2], bytes: Uint8Array.of(1, 2) };
}

function indexOf(map: Readonly<Record<string, unknown>>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ metadata: { total_size: 4 }, weight_map: map }));
}

function folder(map: Readonly<Record<string, unknown>>, shards: Readonly<Record<string, readonly string[]>>) {
  const files = new Map([[INDEX, indexOf(map)]]);
  for (const [name, tensors] of Object.entries(shards)) files.set(name, writeSafetensors(tensors.map(tensor)));
  return { name: 'model', files };
}

const MAP = { a: 'one.safetensors', b: 'two.safetensors' };

function rejects(code: string, text: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(text) });
}

describe('sharded weights', () => {
  it('are read as one', () => {
    const { tensors, files } = readWeights(folder(MAP, { 'one.safetensors': ['a'], 'two.safetensors': ['b'] }));
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(files).toEqual([INDEX, 'one.safetensors', 'two.safetensors']);
  });

  it.each<[string, Record<string, unknown>, Record<string, string[]>, string]>([
    ['a missing shard', MAP, { 'one.safetensors': ['a'] }, 'no two.safetensors'],
    [
      'a missing tensor',
      { ...MAP, c: 'two.safetensors' },
      { 'one.safetensors': ['a'], 'two.safetensors': ['b'] },
      'no tensor c',
    ],
    [
      'a tensor in two shards',
      MAP,
      { 'one.safetensors': ['a'], 'two.safetensors': ['a', 'b'] },
      'tensor a is in another shard',
    ],
    [
      'a tensor in another shard',
      MAP,
      { 'one.safetensors': ['b'], 'two.safetensors': ['a'] },
      'but in two.safetensors',
    ],
    [
      'a tensor outside the index',
      MAP,
      { 'one.safetensors': ['a', 'x'], 'two.safetensors': ['b'] },
      'not in the index',
    ],
  ])('refuses %s', (_, map, shards, text) => {
    expect(() => readWeights(folder(map, shards))).toThrow(rejects('E_MODEL_SHARDS', text));
  });

  it.each(['../one.safetensors', '/etc/passwd', 'a/b.safetensors', 'a\\b.safetensors', '..', '', 'x.pth'])(
    'refuses the shard name %j',
    (name) => {
      expect(() => shardNames(indexOf({ a: name }), 'index')).toThrow(rejects('E_MODEL_SHARDS', 'is said to be in'));
    },
  );

  it('refuses an index without weight_map', () => {
    const files = new Map([[INDEX, new TextEncoder().encode('{}')]]);
    expect(() => readWeights({ name: 'model', files })).toThrow(rejects('E_MODEL_SHARDS', 'no weight_map'));
  });
});

describe('one weight file', () => {
  it('is the whole one, or the only one', () => {
    const bytes = writeSafetensors([tensor('a')]);
    const other = new Map([['weights.safetensors', bytes]]);
    expect(readWeights({ name: 'model', files: other }).where).toBe('model/weights.safetensors');
    const several = new Map([...other, ['model.safetensors', bytes] as const]);
    expect(readWeights({ name: 'model', files: several }).where).toBe('model/model.safetensors');
  });

  it('is asked for where there is none, or more than one', () => {
    const bytes = new Uint8Array(0);
    const files = new Map([
      ['a.pth', bytes],
      ['b.bin', bytes],
    ]);
    expect(() => readWeights({ name: 'model', files })).toThrow(rejects('E_MODEL_FILE', 'Name one of a.pth, b.bin'));
    expect(() => readWeights({ name: 'model', files: new Map() })).toThrow(rejects('E_MODEL_FILE', 'no files'));
  });
});
