import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '@ivit/quantize';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/code-of.js';
import { floatVitFiles, writeFloatVit } from '../../test/float-vit.js';
import { temporaryFolders } from '../../test/folder.js';
import { main } from '../cli/main.js';
import { loadModel } from './load-model.js';
import { quantize } from './quantize.js';
import { channelWorker } from './testing/channel-worker.js';

const folder = temporaryFolders();
const NAMES = ['cat.jpg', 'coffee.png', 'rocket.jpg'];
const photos = await Promise.all(
  NAMES.map(async (name) => new File([await readFile(new URL(`../../photos/${name}`, import.meta.url))], name)),
);
const files = [...floatVitFiles()].map(([name, bytes]) => new File([bytes.slice()], name));

describe('quantize in a worker', () => {
  it('makes the file that the command makes, and ends the worker', async () => {
    const at = await folder();
    const calibrate = join(at, 'photos');
    await mkdir(calibrate);
    for (const photo of photos) await writeFile(join(calibrate, photo.name), new Uint8Array(await photo.arrayBuffer()));
    const output = join(at, 'out.safetensors');
    const io = {
      out: () => undefined,
      err: () => undefined,
      terminal: false,
      env: {},
      signal: new AbortController().signal,
    };
    const args = [
      'quantize',
      await writeFloatVit(at),
      '--calibrate',
      calibrate,
      '-o',
      output,
      '--cache',
      join(at, 'cache'),
    ];
    expect(await main(args, io)).toBe(0);

    const worker = channelWorker();
    const progress: Progress[] = [];
    const extra = new File(['{}'], 'tokenizer.json');
    const result = await quantize({
      files: [extra, ...files],
      photos: [...photos].reverse(),
      createWorker: () => worker,
      onProgress: (event) => progress.push(event),
    });
    expect(result.bytes).toEqual(new Uint8Array(await readFile(output)));
    expect(result.report.photos).toBe(3);
    expect(worker.ended()).toBe(true);
    expect(progress.at(0)?.stage).toBe('read weights');
    expect(progress.at(-1)?.stage).toBe('self-check');
    const model = await loadModel(result.bytes, { createWorker: channelWorker });
    expect(model.info).toMatchObject({ model: result.model, selfCheck: 'passed' });
    await model.dispose();
  });

  it('stops at once when it is aborted', async () => {
    const worker = channelWorker();
    const stop = new AbortController();
    const work = quantize({
      ...{ files, photos, createWorker: () => worker, signal: stop.signal },
      onProgress: ({ done }) => done > 2 && stop.abort(),
    });
    expect(await codeOf(() => work)).toBe('E_ABORTED');
    expect(worker.ended()).toBe(true);
  });

  it('says what is wrong with its files', async () => {
    const createWorker = channelWorker;
    const [first] = photos;
    if (first === undefined) throw new Error('no photo');
    expect(await codeOf(() => quantize({ files, photos: [], createWorker }))).toBe('E_CALIBRATION_EMPTY');
    expect(await codeOf(() => quantize({ files, photos: [first, first], createWorker }))).toBe('E_INPUT');
    expect(await codeOf(() => quantize({ files: [], photos, createWorker }))).toBe('E_MODEL_FILE');
    const bad = new File(['no photo'], 'bad.png');
    await expect(quantize({ files, photos: [first, bad], createWorker })).rejects.toThrow(/bad\.png/);
    expect(await codeOf(() => quantize({ files, photos, createWorker, count: 0 }))).toBe('E_CALIBRATION_COUNT');
  });
});
