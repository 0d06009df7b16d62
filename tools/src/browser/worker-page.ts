/** A page whose models run in workers: every kind of photo that a page has, and a worker that ends itself. */
import { loadModel, type WorkerPhoto } from 'ivit/worker';
import { postReport } from './post-report.js';
import { PATTERN, patternPixels } from './worker-expected.js';

interface Picture {
  readonly width: number;
  readonly height: number;
  close(): void;
}
declare const ImageData: new (
  data: Uint8ClampedArray,
  width: number,
  height: number,
) => { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray };
declare const createImageBitmap: (source: object) => Promise<Picture>;
declare const VideoFrame: new (
  source: Picture,
  settings: { readonly timestamp: number },
) => {
  readonly displayWidth: number;
  readonly displayHeight: number;
  close(): void;
};
declare const Worker: new (
  url: string,
  options: { readonly type: 'module' },
) => {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): void;
};

await postReport(async (material, read) => {
  const found: Record<string, string> = {};
  const file = await read(material.model);
  const model = await loadModel(file);
  const { width, height } = PATTERN;
  const data = new ImageData(new Uint8ClampedArray(patternPixels()), width, height);
  const bitmap = await createImageBitmap(data);
  const frame = new VideoFrame(bitmap, { timestamp: 0 });
  const kinds: Record<string, WorkerPhoto> = { ImageData: data, ImageBitmap: bitmap, VideoFrame: frame };
  for (const [kind, photo] of Object.entries(kinds)) {
    const [result] = await model.run([photo]);
    found[`receipt of ${kind}`] = JSON.stringify(result?.receipt);
  }
  // Copies went to the worker: the page's own are whole.
  found['bitmap and frame are still there'] = String(bitmap.width === width && frame.displayHeight === height);
  bitmap.close();
  frame.close();
  found['a closed bitmap'] = await codeOf(model.run([bitmap]));
  for (const path of material.photos) {
    const [[blob], [url]] = [await model.run([new Blob([await read(path)])]), await model.run([`files/${path}`])];
    found[`receipt of ${path}, Blob`] = JSON.stringify(blob?.receipt);
    found[`receipt of ${path}, URL`] = JSON.stringify(url?.receipt);
  }
  found['threads'] = String(model.info.backend.threads);
  await model.dispose();
  const createWorker = (): InstanceType<typeof Worker> => new Worker('/scripts/dying.js', { type: 'module' });
  const dying = await loadModel(file, { createWorker });
  found['a worker that ends itself'] = await codeOf(dying.classify(new Blob([await read(material.photos[0] ?? '')])));
  await dying.dispose();
  const missing = (): InstanceType<typeof Worker> => new Worker('/scripts/missing.js', { type: 'module' });
  found['a worker without a script'] = await codeOf(loadModel(file, { createWorker: missing }));
  return found;
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
}
