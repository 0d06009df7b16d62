import { parentPort, workerData } from 'node:worker_threads';
import { createEvaluator } from './evaluate.js';
import type { Photo } from './photos.js';

/** One thread of `pnpm accuracy`: asks for a photo, answers with both models' logits, until told to stop. */
const { file, floatFolder } = workerData as { file: string; floatFolder: string };
const port = parentPort;
if (port === null) throw new Error('this file is a worker');
const evaluator = await createEvaluator(file, floatFolder);
port.on('message', async (photo: Photo | null) => {
  if (photo === null) {
    port.close();
    return;
  }
  try {
    port.postMessage({ photo, result: await evaluator.evaluate(photo) });
  } catch (error) {
    port.postMessage({ photo, error: error instanceof Error ? error.message : String(error) });
  }
});
port.postMessage({});
