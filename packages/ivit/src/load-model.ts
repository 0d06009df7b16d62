import type { Backend } from '@ivit/backend';
import { IvitError, throwIfAborted } from '@ivit/program';
import { type Answer, type ClassifyOptions, createModel, type ImageInput } from '@ivit/runtime';
import { defaultBackends } from './default-backends.js';
import { explainWeights, readModel } from './model-source.js';
import { readBytes } from './read-bytes.js';
import type { LoadedModel, LoadModelOptions, ModelSource, Photo } from './types.js';

/** A path or URL as something that is read when its turn comes, under its own name in errors. */
function toInput(photo: Photo, options: LoadModelOptions, signal: AbortSignal | undefined): ImageInput {
  if (typeof photo !== 'string' && !(photo instanceof URL)) return photo;
  return {
    name: String(photo),
    async arrayBuffer() {
      const reading = { ...options.hub, ...(signal === undefined ? {} : { signal }) };
      const bytes = await readBytes(photo, reading);
      const { buffer } = bytes;
      return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length ? buffer : bytes.slice().buffer;
    },
  };
}

function isList(photo: Photo | readonly Photo[]): photo is readonly Photo[] {
  return Array.isArray(photo);
}

/** The backends given, or those of this package that the name leaves. @throws E_INPUT */
async function chooseBackends({ backend: name, backends, threads }: LoadModelOptions): Promise<readonly Backend[]> {
  if (name !== undefined && backends !== undefined) {
    throw new IvitError('E_INPUT', 'Both a backend by name and backends were given', { where: 'option backend' });
  }
  const known = backends ?? (await defaultBackends(threads === undefined ? {} : { threads }));
  if (name === undefined) return known;
  const found = known.find((backend) => backend.name === name);
  if (found !== undefined) return [found];
  throw new IvitError('E_INPUT', `There is no backend "${name}"`, {
    where: 'option backend',
    hint: `There are ${known.map((backend) => backend.name).join(', ')}.`,
  });
}

/**
 * Loads a model: reads the file (a path, a URL, bytes, `hf:owner/name`, or `builtin`), checks it, compiles it on the
 * first backend that works here, and runs its self-check.
 *
 * @throws E_READ, E_INPUT, E_NOT_FOUND, E_ACCESS, E_NETWORK, E_HUB, E_HASH, E_INTEGRITY, E_NEEDS_QUANTIZING,
 *   E_SELF_CHECK, E_NO_BACKEND, E_ABORTED; E_SAFETENSORS_… and E_PROGRAM_… for a bad file
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { onProgress, signal, threads } = options;
  throwIfAborted(signal, 'Loading');
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
    throw new IvitError('E_INPUT', `threads must be a positive integer, not ${threads}`, { where: 'option threads' });
  }
  // Side by side: while the file is read the backend's code is loaded.
  const [{ bytes, where, owned, integrity: known }, backends] = await Promise.all([
    readModel(source, options),
    chooseBackends(options),
  ]);
  const integrity = options.integrity ?? known;
  const model = await createModel({
    program: bytes,
    borrow: owned,
    where,
    backends,
    ...(integrity === undefined ? {} : { integrity }),
    ...(signal === undefined ? {} : { signal }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.maxBatch === undefined ? {} : { maxBatch: options.maxBatch }),
    ...(options.maxPixels === undefined ? {} : { maxPixels: options.maxPixels }),
    onPhase: (phase, backend) => onProgress?.({ phase, ...(backend === undefined ? {} : { backend }) }),
  }).catch((error: unknown) => {
    throw explainWeights(error, where);
  });

  function classify(photo: Photo, rule?: ClassifyOptions): Promise<Answer[]>;
  function classify(photos: readonly Photo[], rule?: ClassifyOptions): Promise<Answer[][]>;
  function classify(photo: Photo | readonly Photo[], rule?: ClassifyOptions): Promise<Answer[] | Answer[][]> {
    if (!isList(photo)) return model.classify(toInput(photo, options, rule?.signal), rule);
    return model.classify(
      photo.map((one) => toInput(one, options, rule?.signal)),
      rule,
    );
  }

  return {
    program: model.program,
    info: model.info,
    prepare: (photo, rule) => model.prepare(toInput(photo, options, rule?.signal), rule),
    run: (photos, rule) =>
      model.run(
        photos.map((photo) => toInput(photo, options, rule?.signal)),
        rule,
      ),
    classify,
    dispose: () => model.dispose(),
  };
}
