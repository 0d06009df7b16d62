import { loadModel, type WorkerModel, type WorkerPhoto } from 'ivit/worker';

/** A model file: the built-in one, or bytes with a name. */
export interface ModelFile {
  readonly name: string;
  readonly source: 'builtin' | Blob;
}

/** One backend's run of one photo. */
export interface Run {
  readonly result: Awaited<ReturnType<WorkerModel['run']>>[number];
  /** Of the fastest run, milliseconds, between prepared pixels and logits, the way to the worker and back included. */
  readonly time: number;
  readonly rounds: number;
}

/** A model in a worker of each backend that was asked for it. */
export interface Engine {
  readonly file: ModelFile;
  /** @returns the model and how long loading took, self-check included, when it was first asked for */
  model(backend: string, signal: AbortSignal): Promise<{ readonly model: WorkerModel; readonly loadTime: number }>;
  run(model: WorkerModel, photo: WorkerPhoto, signal: AbortSignal): Promise<Run>;
  /** Ends a backend's worker; the next call loads it again. */
  drop(backend: string): Promise<void>;
  dispose(): Promise<void>;
}

/** A run is repeated while all of its runs together take no longer than this, three times at most. */
const PATIENCE = 400;
const ROUNDS = 3;

export function createEngine(file: ModelFile): Engine {
  const loaded = new Map<string, { readonly model: WorkerModel; readonly loadTime: number }>();

  async function drop(backend: string): Promise<void> {
    const found = loaded.get(backend);
    loaded.delete(backend);
    await found?.model.dispose();
  }

  return {
    file,
    async model(backend, signal) {
      const known = loaded.get(backend);
      if (known !== undefined) return known;
      const began = performance.now();
      const model = await loadModel(file.source, { backends: [backend], signal });
      const entry = { model, loadTime: performance.now() - began };
      loaded.set(backend, entry);
      return entry;
    },
    async run(model, photo, signal) {
      const began = performance.now();
      let best = Number.POSITIVE_INFINITY;
      for (let rounds = 1; ; rounds += 1) {
        const start = performance.now();
        const [result] = await model.run([photo], { signal });
        if (result === undefined) throw new RangeError('one photo, no result');
        best = Math.min(best, performance.now() - start);
        if (rounds === ROUNDS || performance.now() - began > PATIENCE) return { result, time: best, rounds };
      }
    },
    drop,
    async dispose() {
      await Promise.all([...loaded.keys()].map(drop));
    },
  };
}
