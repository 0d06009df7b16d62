import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Backend } from '@ivit/backend';
import { createReferenceBackend } from '@ivit/backend-reference';
import { modelId } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/code-of.js';
import { tinyModel } from '../../test/tiny-model.js';
import { loadModel as loadHere } from '../load-model.js';
import type { LoadProgress } from '../progress.js';
import { loadModel } from './load-model.js';
import { type ChannelWorker, channelWorker, threadWorker } from './testing/channel-worker.js';
import type { WorkerPhoto } from './types.js';

const { program, bytes } = await tinyModel();
const CAT = new URL('../../photos/cat.jpg', import.meta.url);
const cat = new Uint8Array(await readFile(CAT));

/** A backend whose runs wait for an abort, and nothing else. */
function waitingBackend(): Backend {
  const reference = createReferenceBackend();
  return {
    ...reference,
    name: 'waiting',
    ops: reference.ops,
    probe: (options) => reference.probe(options),
    async compile(validated, options) {
      const executable = await reference.compile(validated, options);
      let first = true;
      return {
        info: executable.info,
        trace: (pixels) => executable.trace(pixels),
        dispose: () => executable.dispose(),
        run(pixels, rule) {
          // The self-check.
          if (first) {
            first = false;
            return executable.run(pixels, rule);
          }
          return new Promise((_, reject) => {
            rule.signal?.addEventListener('abort', () => reject(new Error('late and not seen')));
          });
        },
      };
    },
  };
}

/** A worker and a way to make it. */
function one(worker: ChannelWorker = channelWorker()): { worker: ChannelWorker; createWorker: () => ChannelWorker } {
  return { worker, createWorker: () => worker };
}

describe('loadModel in a worker', () => {
  it('gives what loadModel gives: info, program, answers, outputs, receipts', async () => {
    const here = await loadHere(bytes);
    const progress: LoadProgress[] = [];
    const { createWorker, worker } = one();
    const model = await loadModel(bytes, { createWorker, onProgress: (event) => progress.push(event) });
    expect(model.info).toEqual(here.info);
    expect(modelId(model.program)).toBe(modelId(program));
    expect(model.program).toEqual(here.program);
    expect(progress.map(({ phase }) => phase)).toEqual(['read', 'compile', 'self-check']);
    const rule = { outputs: ['logits', 'centered'] };
    expect(await model.run([CAT, cat], rule)).toEqual(await here.run([CAT, cat], rule));
    expect(await model.classify(CAT, { topK: 2 })).toEqual(await here.classify(CAT, { topK: 2 }));
    expect(await model.classify([cat, CAT], { topK: 1 })).toEqual(await here.classify([cat, CAT], { topK: 1 }));
    expect(await model.prepare(CAT)).toEqual(await here.prepare(CAT));
    await model.dispose();
    expect(worker.ended()).toBe(true);
    await here.dispose();
  });

  it('takes every kind of photo and leaves it with its owner', async () => {
    const model = await loadModel(new Blob([bytes.slice()]), one());
    const prepared = await model.prepare(CAT);
    const raw = { width: 8, height: 8, data: new Uint8ClampedArray(8 * 8 * 4).fill(90) };
    const inside = new Uint8Array(cat.length + 20).fill(1);
    inside.set(cat, 10);
    const photos: WorkerPhoto[] = [
      fileURLToPath(CAT),
      CAT,
      cat,
      inside.subarray(10, 10 + cat.length),
      cat.slice().buffer,
      new Blob([cat]),
      new File([cat], 'cat.jpg'),
      new Response(cat),
      prepared,
    ];
    const results = await model.run([...photos, raw]);
    const receipts = results.map(({ receipt }) => receipt.pixels);
    expect(new Set(receipts.slice(0, -1)).size).toBe(1);
    expect(receipts.at(-1)).not.toBe(receipts[0]);
    expect([cat.length > 0, prepared.pixels.length, raw.data.length]).toEqual([true, 192, 256]);
    await model.dispose();
  });

  it('carries coded errors with place and hint', async () => {
    const model = await loadModel(bytes, one());
    const here = await loadHere(bytes);
    const wrong = [
      new File(['no photo'], 'bad.jpg'),
      { pixels: new Uint8Array(3) },
      { width: 2, height: 2, data: new Uint8Array(3) },
      undefined,
      {},
      CAT.href.replace('cat', 'none'),
    ];
    for (const photo of wrong) {
      const errors: unknown[] = [];
      for (const { classify } of [model, here]) {
        // @ts-expect-error what callers without types pass
        errors.push(await classify(photo).catch((error: unknown) => error));
      }
      const [there, local] = errors.map((error) => {
        const { code, message, where, hint } = error as Record<string, unknown>;
        return { code, message, where, hint };
      });
      expect(there).toEqual(local);
      expect(there?.code).toMatch(/^E_/);
    }
    expect(await codeOf(() => model.run([cat], { outputs: ['none'] }))).toBe('E_INPUT');
    // @ts-expect-error a function is no photo and cannot be sent
    expect(await codeOf(() => model.classify({ read: () => cat }))).toBe('E_INPUT');
    expect(await codeOf(() => loadModel(bytes.slice(0, 99), one()))).toMatch(/^E_SAFETENSORS_/);
    expect(await codeOf(() => loadModel(bytes, { ...one(), integrity: `sha256-${'0'.repeat(64)}` }))).toBe(
      'E_INTEGRITY',
    );
    expect(await codeOf(() => loadModel(bytes, { ...one(), backends: ['none'] }))).toBe('E_INPUT');
    // @ts-expect-error no source at all
    expect(await codeOf(() => loadModel(undefined, one()))).toBe('E_INPUT');
    await Promise.all([model.dispose(), here.dispose()]);
  });

  it('ends the worker of a load that fails or is aborted', async () => {
    const failing = one();
    expect(await codeOf(() => loadModel(new Uint8Array(4), failing))).toMatch(/^E_SAFETENSORS_/);
    expect(failing.worker.ended()).toBe(true);
    const aborting = one();
    const stop = new AbortController();
    const loading = loadModel(bytes, { ...aborting, signal: stop.signal, onProgress: () => stop.abort() });
    expect(await codeOf(() => loading)).toBe('E_ABORTED');
    expect(aborting.worker.ended()).toBe(true);
    expect(await codeOf(() => loadModel(bytes, { signal: AbortSignal.abort() }))).toBe('E_ABORTED');
  });

  it('rejects an aborted call at once and tells the worker', async () => {
    const { worker, createWorker } = one(channelWorker({ backends: async () => [waitingBackend()] }));
    const model = await loadModel(bytes, { createWorker });
    const stop = new AbortController();
    const running = model.run([cat], { signal: stop.signal });
    const caught = running.catch((error: unknown) => error);
    setTimeout(() => stop.abort('enough'), 30);
    expect(await caught).toMatchObject({ code: 'E_ABORTED', cause: 'enough' });
    // Another call under way ends with the worker.
    const open = model.classify(cat);
    setTimeout(() => void model.dispose(), 30);
    expect(await codeOf(() => open)).toBe('E_DISPOSED');
    expect(worker.aborted).toEqual([2]);
    expect(await codeOf(() => model.classify(cat))).toBe('E_DISPOSED');
    await model.dispose();
  });

  it('says when the worker is gone, for the calls under way and all later ones', async () => {
    const { worker, createWorker } = one(channelWorker({ backends: async () => [waitingBackend()] }));
    const model = await loadModel(bytes, { createWorker });
    const open = [model.classify(cat), model.run([cat])];
    setTimeout(() => worker.die('out of memory'), 30);
    for (const call of open) await expect(call).rejects.toMatchObject({ code: 'E_WORKER' });
    await expect(model.classify(cat)).rejects.toThrow(/out of memory/);
    await model.dispose();
    const failing = (): ChannelWorker => {
      throw new Error('refused by policy');
    };
    await expect(loadModel(bytes, { createWorker: failing })).rejects.toMatchObject({ code: 'E_WORKER' });
  });
});

describe('a worker thread', () => {
  it('runs the script of the package, and its death is a coded error', async () => {
    const thread = threadWorker();
    const model = await loadModel(bytes, { createWorker: () => thread, threads: 1 });
    const here = await loadHere(bytes);
    const [[there], [local]] = [await model.run([cat]), await here.run([cat])];
    expect(there?.receipt).toEqual(local?.receipt);
    const gone = new Promise((resolve) => thread.on('exit', resolve));
    await thread.terminate();
    await gone;
    expect(await codeOf(() => model.run([cat]))).toBe('E_WORKER');
    await Promise.all([model.dispose(), here.dispose()]);
  });

  it('that never starts is a coded error', async () => {
    const createWorker = () => threadWorker(new URL('no-such-script.ts', import.meta.url));
    expect(await codeOf(() => loadModel(bytes, { createWorker }))).toBe('E_WORKER');
  });
});
