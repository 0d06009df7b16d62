import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { modelId } from '@ivit/program';
import { afterEach, describe, expect, it } from 'vitest';
import { codeOf } from '../test/code-of.js';
import { temporaryFolders } from '../test/folder.js';
import { type HubServer, startHub } from '../test/hub-server.js';
import { tinyModel } from '../test/tiny-model.js';
import { type LoadProgress, loadModel } from './index.js';

const folder = temporaryFolders();
let hub: HubServer | undefined;
afterEach(async () => {
  await hub?.close();
  hub = undefined;
});

const { program, bytes } = await tinyModel();
const id = modelId(program);
const CAT = new URL('../photos/cat.jpg', import.meta.url);
const weights = (): Uint8Array => {
  const header = new TextEncoder().encode('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  ');
  const file = new Uint8Array(8 + header.length + 4);
  file[0] = header.length;
  file.set(header, 8);
  return file;
};

describe('loadModel', () => {
  it('takes a path, a folder, a URL, a Blob, bytes and an ArrayBuffer', async () => {
    const at = await folder();
    const path = join(at, 'ivit.safetensors');
    await writeFile(path, bytes);
    const sources = [
      path,
      at,
      pathToFileURL(path),
      pathToFileURL(path).href,
      new Blob([bytes.slice()]),
      bytes,
      bytes.slice().buffer,
    ];
    for (const source of sources) {
      const model = await loadModel(source);
      expect(model.info.model).toBe(id);
      expect(model.info.selfCheck).toBe('passed');
      await model.dispose();
    }
  });

  it('checks the integrity that it is given', async () => {
    const digest = createHash('sha256').update(bytes).digest('base64');
    await (await loadModel(bytes, { integrity: `sha256-${digest}` })).dispose();
    expect(await codeOf(() => loadModel(bytes, { integrity: `sha256-${'0'.repeat(64)}` }))).toBe('E_INTEGRITY');
  });

  it('reads photos by path, URL, Blob, bytes and pixels, to one receipt', async () => {
    const model = await loadModel(bytes);
    const photo = new Uint8Array(await readFile(CAT));
    const { fileURLToPath } = await import('node:url');
    const results = await model.run([fileURLToPath(CAT), CAT, CAT.href, new Blob([photo]), photo]);
    const receipts = new Set(results.map(({ receipt }) => JSON.stringify(receipt)));
    expect(receipts.size).toBe(1);
    expect(results[0]?.receipt).toMatchObject({ spec: 'ivit/1', model: id });
    const prepared = await model.prepare(CAT);
    const [again] = await model.run([prepared]);
    expect(again?.receipt).toEqual(results[0]?.receipt);
    const answers = await model.classify(CAT, { topK: 2 });
    expect(answers).toHaveLength(2);
    expect(await model.classify([CAT, photo], { topK: 2 })).toEqual([answers, answers]);
    await model.dispose();
    expect(await codeOf(() => model.classify(CAT))).toBe('E_DISPOSED');
  });

  it('names the photo that it cannot read', async () => {
    const model = await loadModel(bytes);
    const at = await folder();
    await writeFile(join(at, 'bad.jpg'), 'no photo at all');
    await expect(model.classify(join(at, 'none.jpg'))).rejects.toThrow(
      /There is no such file or folder \(.*none\.jpg\)/,
    );
    await expect(model.classify([CAT, join(at, 'bad.jpg')])).rejects.toThrow(/bad\.jpg/);
    expect(await codeOf(() => model.classify(at))).toBe('E_READ');
    await model.dispose();
  });

  it('says what is no model', async () => {
    const at = await folder();
    await writeFile(join(at, 'weights.safetensors'), weights());
    expect(await codeOf(() => loadModel(join(at, 'none.safetensors')))).toBe('E_READ');
    expect(await codeOf(() => loadModel(at))).toBe('E_READ');
    // @ts-expect-error nothing, as a caller without types may pass it
    expect(await codeOf(() => loadModel(undefined))).toBe('E_INPUT');
    // @ts-expect-error an object without bytes
    expect(await codeOf(() => loadModel({}))).toBe('E_INPUT');
    expect(await codeOf(() => loadModel('ftp://example.com/model'))).toBe('E_INPUT');
    expect(await codeOf(() => loadModel(join(at, 'weights.safetensors')))).toBe('E_NEEDS_QUANTIZING');
    expect(await codeOf(() => loadModel(bytes.slice(0, 100)))).toMatch(/^E_SAFETENSORS_/);
    expect(await codeOf(() => loadModel(bytes, { signal: AbortSignal.abort() }))).toBe('E_ABORTED');
    expect(await codeOf(() => loadModel(bytes, { limits: { ops: 1 } }))).toBe('E_PROGRAM_LIMIT');
  });
});

describe('loadModel from the hub', () => {
  it('loads the program of a repository, by its usual name or another', async () => {
    const files = new Map([
      ['ivit.safetensors', bytes],
      ['other/eight.safetensors', bytes],
    ]);
    hub = await startHub({
      'someone/ivit': { files },
      'someone/only': { files: new Map([['model.safetensors', bytes]]) },
    });
    const cache = await folder();
    const options = { hub: { endpoint: hub.endpoint, cache, backoff: 1 } };
    const progress: LoadProgress[] = [];
    const names = ['hf:someone/ivit', 'hf:someone/ivit@v1/other/eight.safetensors', 'hf:someone/only'];
    for (const name of names) {
      const model = await loadModel(name, { ...options, onProgress: (event) => progress.push(event) });
      expect(model.info.model).toBe(id);
      await model.dispose();
    }
    const phases = new Set(progress.map(({ phase }) => phase));
    expect([...phases]).toEqual(['download', 'read', 'compile', 'self-check', 'cached']);
    const { endpoint } = hub;
    expect(await codeOf(() => loadModel('hf:someone/ivit', { hub: { endpoint, cache: false, revision: 'v9' } }))).toBe(
      'E_NOT_FOUND',
    );
  });

  it('says to quantize float weights, without downloading them', async () => {
    const large = new Uint8Array(3_000_000);
    large.set(weights());
    const files = new Map([['model.safetensors', large]]);
    hub = await startHub({ 'someone/float': { files } });
    const options = { hub: { endpoint: hub.endpoint, cache: await folder(), backoff: 1 } };
    const work = loadModel('hf:someone/float', options);
    await expect(work).rejects.toThrow(/ivit quantize hf:someone\/float --calibrate/);
    expect(await codeOf(() => work)).toBe('E_NEEDS_QUANTIZING');
    const ranges = hub.requests.filter((line) => line.startsWith('GET /store/')).map((line) => line.split(' ')[2]);
    expect(ranges).toEqual(['bytes=0-7', 'bytes=0-63']);
    hub.faults.noRanges = true;
    expect(await codeOf(() => loadModel('hf:someone/float', options))).toBe('E_NEEDS_QUANTIZING');
  });

  it('refuses an http URL that answers with an error, and loads one that does not', async () => {
    hub = await startHub({ 'a/b': { files: new Map([['ivit.safetensors', bytes]]) } });
    const model = await loadModel(`${hub.endpoint}/a/b/resolve/main/ivit.safetensors`);
    expect(model.info.model).toBe(id);
    const cat = new Uint8Array(await readFile(CAT));
    await hub.close();
    hub = await startHub({ 'a/b': { files: new Map([['cat.jpg', cat]]) } });
    const [[fetched], [local]] = [
      await model.run([`${hub.endpoint}/a/b/resolve/main/cat.jpg`]),
      await model.run([cat]),
    ];
    expect(fetched?.receipt).toEqual(local?.receipt);
    expect(await codeOf(() => loadModel(`${hub?.endpoint}/a/b/resolve/main/none`))).toBe('E_NOT_FOUND');
    await model.dispose();
  });

  it('fetches a URL with the fetch and the attempts that it is given', async () => {
    let calls = 0;
    const failing = async (): Promise<Response> => {
      calls += 1;
      return new Response(null, { status: 503 });
    };
    const options = { hub: { fetch: failing, attempts: 3, backoff: 1 } };
    for (const source of ['http://localhost/x', new URL('http://localhost/x')]) {
      calls = 0;
      expect(await codeOf(() => loadModel(source, options))).toBe('E_NETWORK');
      expect(calls).toBe(3);
    }
  });

  it('reads a folder of float weights as such', async () => {
    const at = join(await folder(), 'vit');
    await mkdir(at);
    await writeFile(join(at, 'model.safetensors'), weights());
    await expect(loadModel(at)).rejects.toThrow(/ivit quantize/);
  });
});
