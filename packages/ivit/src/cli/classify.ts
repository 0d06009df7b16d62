import { IvitError } from '@ivit/program';
import { type PreparedImage, type RunResult, rankAnswers } from '@ivit/runtime';
import { loadModel } from '../load-model.js';
import type { LoadedModel } from '../types.js';
import { BACKEND_OPTIONS, backendsOf, threadsOf } from './backend-options.js';
import { describeError, type ErrorText } from './describe-error.js';
import { hubOptions } from './hub-options.js';
import type { Io } from './io.js';
import { splitArguments } from './model-argument.js';
import { createProgressLine, type ProgressLine, showLoading } from './progress.js';
import { integerOption, maxPixels, parseCommand } from './usage.js';

type PhotoResult =
  | { readonly file: string; readonly result: RunResult }
  | { readonly file: string; readonly error: ErrorText };

/**
 * With fewer photos than this a second thread takes longer to start than it saves (DeiT-Tiny in Node: about 50 ms to
 * start, 10 to 20 ms saved per photo).
 */
const MANY_PHOTOS = 8;

/** Runs photos batch by batch; one that cannot be read does not stop the others. */
async function* runPhotos(
  model: LoadedModel,
  photos: readonly string[],
  line: ProgressLine,
  signal: AbortSignal,
): AsyncGenerator<PhotoResult> {
  const size = model.info.maxBatch;
  for (let start = 0; start < photos.length; start += size) {
    const files = photos.slice(start, start + size);
    const prepared: (PreparedImage | ErrorText)[] = [];
    for (const [index, file] of files.entries()) {
      line.update('classify', start + index, photos.length);
      try {
        prepared.push(await model.prepare(file, { signal, where: file }));
      } catch (error) {
        if (signal.aborted || !IvitError.isInstance(error)) throw error;
        prepared.push(describeError(error));
      }
    }
    const results = await model.run(
      prepared.filter((entry) => 'pixels' in entry),
      { signal },
    );
    let next = 0;
    for (const [index, file] of files.entries()) {
      const entry = prepared[index];
      const result = entry !== undefined && 'pixels' in entry ? results[next++] : undefined;
      if (result !== undefined) yield { file, result };
      else if (entry !== undefined && 'code' in entry) yield { file, error: entry };
    }
  }
}

/** `ivit classify [MODEL] PHOTO…`: 0, or 1 if a photo could not be labeled. */
export async function classify(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    model: { type: 'string' },
    'top-k': { type: 'string' },
    receipt: { type: 'boolean' },
    integrity: { type: 'string' },
    ...BACKEND_OPTIONS,
  });
  const [source, photos] = splitArguments('classify', positionals, values.model);
  const topK = integerOption(values['top-k'], 'top-k', { from: 1, to: 1_000_000 }) ?? 5;
  const largest = maxPixels(values);
  const few = photos.length < MANY_PHOTOS ? { threads: 1 } : {};
  const line = createProgressLine(io, values.quiet ?? false);
  const { signal } = io;
  const model = await loadModel(source, {
    hub: hubOptions(values, io),
    // Without a name it is left to loadModel, which loads the backend while it reads the file.
    ...(values.backend === undefined ? { ...few, ...threadsOf(values) } : { backends: await backendsOf(values) }),
    signal,
    onProgress: showLoading(line),
    ...(largest === undefined ? {} : { maxPixels: largest }),
    ...(values.integrity === undefined ? {} : { integrity: values.integrity }),
  }).finally(() => line.clear());

  let failures = 0;
  const documents: unknown[] = [];
  try {
    for await (const photo of runPhotos(model, photos, line, signal)) {
      line.clear();
      const { file } = photo;
      if ('error' in photo) {
        failures += 1;
        // The message names the photo.
        io.err(`ivit: ${photo.error.code}: ${photo.error.message}\n`);
        documents.push({ file, error: photo.error });
        continue;
      }
      const { outputs, receipt } = photo.result;
      const logits = outputs['logits']?.data;
      const answers = logits instanceof Int32Array ? rankAnswers(logits, model.program, topK) : [];
      if (values.json) {
        documents.push({ file, answers, receipt });
        continue;
      }
      const list = answers.map(({ label, score }) => `${label} ${score.toFixed(4)}`).join(', ');
      io.out(`${file}: ${list}\n`);
      if (values.receipt) io.out(`  receipt ${JSON.stringify(receipt)}\n`);
    }
    if (values.json) io.out(`${JSON.stringify({ ...model.info, results: documents }, undefined, 2)}\n`);
  } finally {
    line.clear();
    await model.dispose();
  }
  return failures === 0 ? 0 : 1;
}
