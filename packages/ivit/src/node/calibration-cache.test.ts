import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolders } from '../../test/folder.js';
import { folderCache } from './calibration-cache.js';

const folder = temporaryFolders();
const BYTES = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);

describe('folderCache', () => {
  it('gives bytes back as they were put', async () => {
    const at = join(await folder(), 'deep', 'er');
    const cache = folderCache(at);
    expect(await cache.get('a')).toBeUndefined();
    await cache.put('a', BYTES);
    await cache.put('a/../b', new Uint8Array());
    expect(await folderCache(at).get('a')).toEqual(BYTES);
    expect(await cache.get('a/../b')).toEqual(new Uint8Array());
    expect(await readdir(at)).toHaveLength(2);
  });

  it('forgets an entry that was damaged', async () => {
    const at = await folder();
    const cache = folderCache(at);
    await cache.put('a', BYTES);
    const [name = ''] = await readdir(at);
    const path = join(at, name);
    const stored = await readFile(path);
    stored[500] = (stored[500] ?? 0) ^ 1;
    await writeFile(path, stored);
    expect(await cache.get('a')).toBeUndefined();
    expect(await readdir(at)).toEqual([]);
    await writeFile(path, new Uint8Array(5));
    expect(await cache.get('a')).toBeUndefined();
  });

  it('goes without an entry that cannot be written', async () => {
    const at = join(await folder(), 'file');
    await writeFile(at, '');
    const cache = folderCache(at);
    await cache.put('a', BYTES);
    expect(await cache.get('a')).toBeUndefined();
    await cache.prune();
  });

  it('keeps the entries used last', async () => {
    const at = await folder();
    const cache = folderCache(at, { limit: 2500 });
    for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) {
      await cache.put(key, BYTES);
      for (const name of await readdir(at)) {
        const { mtimeMs } = await stat(join(at, name));
        // Entries of this round get the round's time.
        if (Date.now() - mtimeMs < 5000) await utimes(join(at, name), 1000 + index, 1000 + index);
      }
    }
    expect(await cache.get('a')).toEqual(BYTES);
    await cache.prune();
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => (await cache.get(key)) !== undefined))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});
