import { Worker } from 'node:worker_threads';
import type { Scored } from './metrics.js';
import type { Photo } from './photos.js';

interface Answer {
  readonly photo?: Photo;
  readonly result?: { readonly float: Float32Array; readonly integer: Float64Array };
  readonly error?: string;
}

/**
 * Evaluates photos on several threads; the result is in the order of the photos.
 *
 * @param onProgress photos done so far
 */
export async function evaluateAll(
  file: string,
  floatFolder: string,
  photos: readonly Photo[],
  threads: number,
  onProgress: (done: number) => void,
): Promise<Scored[]> {
  const byName = new Map<string, Scored>();
  let next = 0;
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // A worker registers no loader hooks of its own: it starts through the same one as this process.
      const source = `import('tsx/esm/api').then(({ tsImport }) => tsImport(${JSON.stringify(new URL('./worker.ts', import.meta.url).href)}, ${JSON.stringify(import.meta.url)}));`;
      const worker = new Worker(source, {
        eval: true,
        execArgv: ['--conditions=@ivit/source'],
        workerData: { file, floatFolder },
      });
      worker.on('error', reject);
      worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))));
      worker.on('message', ({ photo, result, error }: Answer) => {
        if (error !== undefined) {
          reject(new Error(`${photo?.path}: ${error}`));
          void worker.terminate();
          return;
        }
        if (photo !== undefined && result !== undefined) {
          byName.set(photo.name, { label: photo.label, ...result });
          onProgress(byName.size);
        }
        worker.postMessage(photos[next] ?? null);
        next += 1;
      });
    });
  await Promise.all(Array.from({ length: Math.min(threads, photos.length) }, runOne));
  return photos.flatMap((photo) => byName.get(photo.name) ?? []);
}
