import { type LoadedModel, loadModel, rankAnswers } from 'ivit';
import { describeError } from './errors.js';
import type { FromWorker, LoadMessage, PhotoMessage, ToWorker } from './messages.js';
import type { Labeling, Outcome } from './row.js';

interface Loaded {
  readonly model: LoadedModel;
  readonly topK: number;
}

async function load({ model: source, threads, topK, maxPixels }: LoadMessage): Promise<Loaded> {
  const limits = maxPixels === undefined ? {} : { maxPixels };
  return { model: await loadModel(source, { threads, maxBatch: 1, ...limits }), topK };
}

function labelingOf({ model, topK }: Loaded): Labeling {
  const { program, info } = model;
  const { labels, unknownBelow = 0 } = program;
  const [classes = 0] = program.values[program.output]?.shape ?? [];
  return { spec: info.spec, model: info.model, labels, classes, unknownBelow, topK };
}

async function label({ model, topK }: Loaded, { path, file }: PhotoMessage): Promise<Outcome> {
  try {
    const [result] = await model.run([path]);
    const logits = result?.outputs['logits']?.data;
    if (result === undefined || !(logits instanceof Int32Array)) throw new Error('the model gave no logits');
    return { answers: rankAnswers(logits, model.program, topK), receipt: result.receipt };
  } catch (error) {
    const { code, message } = describeError(error);
    // The same row wherever the folder lies.
    return { error: { code, message: message.replaceAll(path, file) } };
  }
}

/**
 * A process that labels photos, one at a time and in the order in which they come, as the process that started it asks. Signals are that one's business: Ctrl-C
 * reaches both, and the photo in work is finished. It ends when the other has gone, however it went.
 */
export function runWorker(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit(0));
  const send = (message: FromWorker): void => {
    // The other has gone, as at `disconnect`, which may come later.
    process.send?.(message, (error: Error | null) => error !== null && process.exit(0));
  };
  let loading: Promise<Loaded> | undefined;

  async function answer(message: ToWorker): Promise<void> {
    if (message.type === 'photo') {
      if (loading !== undefined) send({ type: 'done', outcome: await label(await loading, message) });
      return;
    }
    loading = load(message);
    try {
      const loaded = await loading;
      const { backend, skipped } = loaded.model.info;
      send({ type: 'ready', labeling: labelingOf(loaded), backend: backend.name, skipped });
    } catch (error) {
      send({ type: 'refused', error: describeError(error) });
    }
  }

  // One after the other: the next photo waits here, not on the way.
  let last: Promise<void> = Promise.resolve();
  process.on('message', (message: ToWorker) => {
    last = last.then(() => answer(message));
  });
}
