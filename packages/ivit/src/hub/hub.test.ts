import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { codeOf } from '../../test/code-of.js';
import { temporaryFolders } from '../../test/folder.js';
import { COMMIT, type HubServer, type Repository, startHub } from '../../test/hub-server.js';
import { folderStore } from '../node/hub-store.js';
import type { LoadProgress } from '../progress.js';
import { parseHubAddress } from './address.js';
import { fetchHubFile, type HubAccess } from './fetch-file.js';

const folder = temporaryFolders();
let hub: HubServer | undefined;
afterEach(async () => {
  await hub?.close();
  hub = undefined;
});

const WEIGHTS = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7 + (index >> 8)) % 256);
const CONFIG = new TextEncoder().encode('{"model_type":"vit"}\n');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const DIGEST = sha256(WEIGHTS);
const ADDRESS = parseHubAddress('hf:someone/vit');

async function start(extra: Partial<Repository> = {}): Promise<HubServer> {
  const files = new Map([
    ['model.safetensors', WEIGHTS],
    ['config.json', CONFIG],
  ]);
  hub = await startHub({ 'someone/vit': { files, ...extra } });
  return hub;
}

function access(server: HubServer, cache: string, extra: Partial<HubAccess> = {}): HubAccess {
  return { endpoint: server.endpoint, store: folderStore(cache), backoff: 1, ...extra };
}

const equal = (bytes: Uint8Array, expected: Uint8Array): boolean => Buffer.compare(bytes, expected) === 0;

describe('parseHubAddress', () => {
  it('reads revision and file', () => {
    expect(parseHubAddress('hf:a/b')).toEqual({ owner: 'a', name: 'b', revision: 'main' });
    expect(parseHubAddress('hf:a/b', 'v1').revision).toBe('v1');
    expect(parseHubAddress('hf:a-1/b.c@v2/d/e f.safetensors', 'v1')).toEqual({
      owner: 'a-1',
      name: 'b.c',
      revision: 'v2',
      file: 'd/e f.safetensors',
    });
  });

  it.each(['hf:', 'hf:a', 'hf:a/b/', 'hf:../b', 'hf:a/b@', 'hf:a/b/../c', 'hf:a/b//c', 'hf:a/.b', 'hf:a b/c'])(
    'refuses %j',
    async (text) => {
      expect(await codeOf(() => parseHubAddress(text))).toBe('E_INPUT');
    },
  );
});

describe('fetchHubFile', () => {
  it('follows the redirect of a large file, checks its sha256 and keeps it', async () => {
    const server = await start();
    const cache = await folder();
    const progress: LoadProgress[] = [];
    const options = access(server, cache, { onProgress: (event) => progress.push(event) });
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', options), WEIGHTS)).toBe(true);
    expect(server.requests).toEqual([
      'HEAD /someone/vit/resolve/main/model.safetensors',
      `GET /someone/vit/resolve/${COMMIT}/model.safetensors`,
      `GET /store/${DIGEST}`,
    ]);
    expect(progress[0]).toMatchObject({ phase: 'download', file: 'model.safetensors', loaded: 0, total: 200_000 });
    expect(progress.at(-1)).toMatchObject({ loaded: 200_000, total: 200_000 });
    expect(await readdir(join(cache, 'blobs'))).toEqual([DIGEST]);

    server.requests.length = 0;
    progress.length = 0;
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', options), WEIGHTS)).toBe(true);
    expect(server.requests).toEqual(['HEAD /someone/vit/resolve/main/model.safetensors']);
    expect(progress).toEqual([{ phase: 'cached', file: 'model.safetensors' }]);
  });

  it('checks the git sha1 of a small file', async () => {
    const server = await start();
    const cache = await folder();
    expect(equal(await fetchHubFile(ADDRESS, 'config.json', access(server, cache)), CONFIG)).toBe(true);
    server.faults.instead = new TextEncoder().encode('{"model_type":"bad"}\n');
    const fresh = access(server, await folder());
    expect(await codeOf(() => fetchHubFile(ADDRESS, 'config.json', fresh))).toBe('E_HASH');
  });

  it('asks nothing for a commit that it knows, and uses what it has when the hub is away', async () => {
    const server = await start();
    const options = access(server, await folder());
    const commit = parseHubAddress(`hf:someone/vit@${COMMIT}`);
    await fetchHubFile(commit, 'model.safetensors', options);
    await fetchHubFile(ADDRESS, 'model.safetensors', options);
    server.requests.length = 0;
    await fetchHubFile(commit, 'model.safetensors', options);
    expect(server.requests).toEqual([]);
    await server.close();
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', options), WEIGHTS)).toBe(true);
    expect(await codeOf(() => fetchHubFile(ADDRESS, 'config.json', options))).toBe('E_NETWORK');
  });

  it('follows a renamed repository', async () => {
    const server = await start({ formerly: 'someone/old' });
    const address = parseHubAddress('hf:someone/old@v1');
    expect(equal(await fetchHubFile(address, 'model.safetensors', access(server, await folder())), WEIGHTS)).toBe(true);
  });

  it('works in memory without a store', async () => {
    const server = await start();
    server.faults.cuts.push(70_000);
    const options = { endpoint: server.endpoint, backoff: 1 };
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', options), WEIGHTS)).toBe(true);
    expect(server.requests.filter((line) => line.includes('/store/'))).toEqual([
      `GET /store/${DIGEST}`,
      `GET /store/${DIGEST} bytes=70000-`,
    ]);
  });

  it('takes up a cut connection where it broke', async () => {
    const server = await start();
    server.faults.cuts.push(50_000, 60_000);
    const cache = await folder();
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', access(server, cache)), WEIGHTS)).toBe(true);
    expect(server.requests.filter((line) => line.includes('/store/'))).toEqual([
      `GET /store/${DIGEST}`,
      `GET /store/${DIGEST} bytes=50000-`,
      `GET /store/${DIGEST} bytes=110000-`,
    ]);
    expect(await readdir(join(cache, 'blobs'))).toEqual([DIGEST]);
  });

  it('keeps the part when it gives up, and the next call goes on from there', async () => {
    const server = await start();
    server.faults.cuts.push(50_000, 0, 0, 0, 0);
    const cache = await folder();
    const options = access(server, cache, { attempts: 3 });
    expect(await codeOf(() => fetchHubFile(ADDRESS, 'model.safetensors', options))).toBe('E_NETWORK');
    expect(await readdir(join(cache, 'blobs'))).toEqual([`${DIGEST}.part`]);
    expect((await stat(join(cache, 'blobs', `${DIGEST}.part`))).size).toBe(50_000);
    server.faults.cuts.length = 0;
    server.requests.length = 0;
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', options), WEIGHTS)).toBe(true);
    expect(server.requests.at(-1)).toBe(`GET /store/${DIGEST} bytes=50000-`);
  });

  it('starts over where the server knows no ranges', async () => {
    const server = await start();
    server.faults.noRanges = true;
    server.faults.cuts.push(50_000);
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', access(server, await folder())), WEIGHTS)).toBe(true);
    server.faults.chunked = true;
    server.faults.cuts.push(50_000);
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', access(server, await folder())), WEIGHTS)).toBe(true);
  });

  it('starts over from a part that is longer than the file, or damaged', async () => {
    const server = await start();
    for (const part of [new Uint8Array(300_000), new Uint8Array(100_000), new Uint8Array(200_000)]) {
      const cache = await folder();
      await mkdir(join(cache, 'blobs'));
      await writeFile(join(cache, 'blobs', `${DIGEST}.part`), part);
      expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', access(server, cache)), WEIGHTS)).toBe(true);
    }
  });

  it('downloads again what was damaged in the store', async () => {
    const server = await start();
    const cache = await folder();
    const options = access(server, cache);
    await fetchHubFile(ADDRESS, 'model.safetensors', options);
    await writeFile(join(cache, 'blobs', DIGEST), WEIGHTS.subarray(0, 1000));
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', options), WEIGHTS)).toBe(true);
    expect(equal(await readFile(join(cache, 'blobs', DIGEST)), WEIGHTS)).toBe(true);
  });

  it('throws away bytes with a wrong hash', async () => {
    const server = await start();
    server.faults.instead = WEIGHTS.map((byte, index) => (index === 123_456 ? byte ^ 1 : byte));
    const cache = await folder();
    const work = (): unknown => fetchHubFile(ADDRESS, 'model.safetensors', access(server, cache));
    expect(await codeOf(work)).toBe('E_HASH');
    expect((await stat(join(cache, 'blobs', `${DIGEST}.part`))).size).toBe(0);
    server.faults.instead = new Uint8Array(300_000);
    expect(await codeOf(work)).toBe('E_HASH');
    server.faults.instead = undefined;
    expect(await codeOf(work)).toBe('none');
  });

  it('says what is not found', async () => {
    const server = await start();
    const options = access(server, await folder());
    await expect(fetchHubFile(ADDRESS, 'other.safetensors', options)).rejects.toThrow(/HTTP 404, EntryNotFound/);
    await expect(fetchHubFile(parseHubAddress('hf:a/b'), 'config.json', options)).rejects.toThrow(/RepoNotFound/);
    const work = fetchHubFile(parseHubAddress('hf:someone/vit@v9'), 'config.json', options);
    await expect(work).rejects.toThrow(/RevisionNotFound/);
    expect(await codeOf(() => work)).toBe('E_NOT_FOUND');
  });

  it('tries again after a passing failure, and not after a refusal', async () => {
    const server = await start();
    server.faults.statuses.push(503, 429);
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', access(server, await folder())), WEIGHTS)).toBe(true);
    server.faults.statuses.push(403);
    const refused = access(server, await folder());
    expect(await codeOf(() => fetchHubFile(ADDRESS, 'model.safetensors', refused))).toBe('E_ACCESS');
    server.faults.statuses.push(503, 503, 503, 503);
    const failing = access(server, await folder());
    expect(await codeOf(() => fetchHubFile(ADDRESS, 'model.safetensors', failing))).toBe('E_NETWORK');
  });

  it('says why there is no connection', async () => {
    // As Node's fetch throws where every address of a host refuses.
    const cause = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    const refused = async (): Promise<Response> => {
      throw new TypeError('fetch failed', { cause });
    };
    await expect(fetchHubFile(ADDRESS, 'config.json', { fetch: refused, attempts: 1 })).rejects.toThrow(
      'The download failed: no answer, fetch failed, ECONNREFUSED (https://',
    );
  });

  it('ends an attempt in which nothing arrives and goes on where it stopped', async () => {
    const server = await start();
    server.faults.stallAfter = 80_000;
    const loaded: number[] = [];
    const options = access(server, await folder(), {
      stall: 200,
      attempts: 2,
      onProgress: (event) => {
        if (event.phase !== 'download') return;
        loaded.push(event.loaded);
        // The second attempt finds a server that answers.
        if (event.loaded >= 80_000) server.faults.stallAfter = undefined;
      },
    });
    expect(equal(await fetchHubFile(ADDRESS, 'model.safetensors', options), WEIGHTS)).toBe(true);
    expect(loaded.filter((bytes) => bytes === 80_000).length).toBeGreaterThan(1);
  });

  it('gives up on a server that never answers', async () => {
    const silent = (_url: string, init?: RequestInit): Promise<Response> =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const options = { fetch: silent, attempts: 2, backoff: 1, stall: 20 };
    await expect(fetchHubFile(ADDRESS, 'config.json', options)).rejects.toMatchObject({ code: 'E_NETWORK' });
  });

  it('stops at an abort in the midst of it and keeps the part', async () => {
    const server = await start();
    server.faults.stallAfter = 80_000;
    const cache = await folder();
    const controller = new AbortController();
    const options = access(server, cache, {
      signal: controller.signal,
      onProgress: (event) => {
        if (event.phase === 'download' && event.loaded >= 80_000) controller.abort();
      },
    });
    expect(await codeOf(() => fetchHubFile(ADDRESS, 'model.safetensors', options))).toBe('E_ABORTED');
    expect(await readdir(join(cache, 'blobs'))).toEqual([`${DIGEST}.part`]);
    expect((await stat(join(cache, 'blobs', `${DIGEST}.part`))).size).toBe(80_000);
  });

  it('lets two downloads of one file run at once', async () => {
    const server = await start();
    server.faults.cuts.push(20_000);
    const cache = await folder();
    const both = await Promise.all([1, 2].map(() => fetchHubFile(ADDRESS, 'model.safetensors', access(server, cache))));
    expect(both.every((bytes) => equal(bytes, WEIGHTS))).toBe(true);
    expect(await readdir(join(cache, 'blobs'))).toEqual([DIGEST]);
  });

  it('takes over the lock of a process that is no more', async () => {
    const server = await start();
    const cache = await folder();
    await mkdir(join(cache, 'blobs'));
    await writeFile(join(cache, 'blobs', `${DIGEST}.lock`), '999999999');
    await writeFile(join(cache, 'blobs', `${DIGEST}.part`), WEIGHTS.subarray(0, 30_000));
    await fetchHubFile(ADDRESS, 'model.safetensors', access(server, cache));
    expect(server.requests.at(-1)).toBe(`GET /store/${DIGEST} bytes=30000-`);
    expect(await readdir(join(cache, 'blobs'))).toEqual([DIGEST]);
  });

  it('says that the store cannot be written', async () => {
    const server = await start();
    const blocked = join(await folder(), 'file');
    await writeFile(blocked, 'not a folder');
    const options = access(server, blocked);
    expect(await codeOf(() => fetchHubFile(ADDRESS, 'model.safetensors', options))).toBe('E_OUTPUT');
  });
});
