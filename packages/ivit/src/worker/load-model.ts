import { IvitError, throwIfAborted } from '@ivit/program';
import type { Answer, ClassifyOptions } from '@ivit/runtime';
import type { LoadProgress } from '../progress.js';
import type { ModelSource } from '../types.js';
import { connect } from './connection.js';
import type { WireLoadOptions, WirePhoto } from './messages.js';
import { packPhoto, packSource, type Transfer } from './pack.js';
import type { WorkerLoadOptions, WorkerModel, WorkerPhoto } from './types.js';

function isList(photo: WorkerPhoto | readonly WorkerPhoto[]): photo is readonly WorkerPhoto[] {
  return Array.isArray(photo);
}

async function packPhotos(photos: readonly WorkerPhoto[], transfer: Transfer): Promise<WirePhoto[]> {
  const packed: WirePhoto[] = [];
  for (const photo of photos) packed.push(await packPhoto(photo, transfer));
  return packed;
}

/** The options that are data; functions and signals stay here. */
function wireOptions(options: WorkerLoadOptions): WireLoadOptions {
  const { integrity, backends, threads, hub, limits, maxBatch, maxPixels } = options;
  const given = { integrity, backends, threads, hub, limits, maxBatch, maxPixels };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/**
 * `loadModel` of `ivit`, in a worker of its own: the page's thread is free while a model is loaded and runs, and an aborted
 * call rejects at once. The model file, its program and all photos are copied to the worker and back.
 *
 * @throws E_WORKER if no worker starts or it is gone; else as `loadModel` of `ivit`
 */
export async function loadModel(source: ModelSource, options: WorkerLoadOptions = {}): Promise<WorkerModel> {
  const { signal, onProgress, createWorker } = options;
  throwIfAborted(signal, 'Loading');
  const transfer: Transfer = [];
  const packed = await packSource(source, transfer);
  throwIfAborted(signal, 'Loading');
  const connection = connect(createWorker);
  const load = { call: 'load', source: packed, options: wireOptions(options) } as const;
  const { program, info } = await connection
    // Progress of a load is what `loadModel` reports in the worker.
    .call(load, transfer, { signal, onProgress: (progress) => onProgress?.(progress as LoadProgress) })
    .catch(async (error: unknown) => {
      await connection.close();
      throw error;
    });

  let disposed = false;
  function assertOpen(): void {
    if (disposed)
      throw new IvitError('E_DISPOSED', 'The model was disposed of before the call', { hint: 'Load it again.' });
  }

  function classify(photo: WorkerPhoto, rule?: ClassifyOptions): Promise<Answer[]>;
  function classify(photos: readonly WorkerPhoto[], rule?: ClassifyOptions): Promise<Answer[][]>;
  async function classify(
    photo: WorkerPhoto | readonly WorkerPhoto[],
    { topK, signal: abort }: ClassifyOptions = {},
  ): Promise<Answer[] | Answer[][]> {
    assertOpen();
    throwIfAborted(abort);
    const several = isList(photo);
    const sent: Transfer = [];
    const photos = await packPhotos(several ? photo : [photo], sent);
    const call = { call: 'classify', photos, ...(topK === undefined ? {} : { topK }) } as const;
    const answers = await connection.call(call, sent, { signal: abort });
    return several ? answers : (answers[0] ?? []);
  }

  return {
    program,
    info,
    classify,
    async prepare(photo, { signal: abort, where } = {}) {
      assertOpen();
      throwIfAborted(abort);
      const sent: Transfer = [];
      const call = {
        call: 'prepare',
        photo: await packPhoto(photo, sent),
        ...(where === undefined ? {} : { where }),
      } as const;
      return connection.call(call, sent, { signal: abort });
    },
    async run(photos, { outputs, signal: abort } = {}) {
      assertOpen();
      throwIfAborted(abort);
      const sent: Transfer = [];
      const packed = await packPhotos(photos, sent);
      const call = { call: 'run', photos: packed, ...(outputs === undefined ? {} : { outputs }) } as const;
      return connection.call(call, sent, { signal: abort });
    },
    async dispose() {
      disposed = true;
      await connection.close();
    },
  };
}
