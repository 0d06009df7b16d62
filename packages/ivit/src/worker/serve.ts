import type { Backend } from '@ivit/backend';
import { writeProgram } from '@ivit/formats/program';
import { IvitError, modelId, throwIfAborted } from '@ivit/program';
import type { RunResult } from '@ivit/runtime';
import { defaultBackends } from '../default-backends.js';
import { loadModel } from '../load-model.js';
import type { LoadedModel, Photo } from '../types.js';
import { holdLifeLock } from './liveness.js';
import type {
  AnyCall,
  AnyResult,
  Calls,
  FromWorker,
  ToWorker,
  WireLoaded,
  WirePhoto,
  WireQuantized,
} from './messages.js';
import type { Transfer } from './pack.js';
import { openPort, type Port } from './port.js';
import { closePhotos, unpackPhoto, unpackSource } from './unpack.js';
import { packError } from './wire-error.js';

export interface ServeOptions {
  /** The backends that this worker knows, in order of preference. Default: those of this package. */
  readonly backends?: (options: { readonly threads?: number }) => Promise<readonly Backend[]>;
  /** Where messages come from and go to. Default: whoever started this worker. */
  readonly port?: Port;
}

interface Context {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: unknown) => void;
}

interface Answer {
  readonly value: AnyResult;
  readonly transfer: Transfer;
}

type Make = NonNullable<ServeOptions['backends']>;

/** @throws E_INPUT for a name that this worker does not know */
async function chooseBackends(
  make: Make,
  { backends: names, threads }: { readonly backends?: readonly string[]; readonly threads?: number },
): Promise<readonly Backend[]> {
  const known = await make(threads === undefined ? {} : { threads });
  return (names ?? known.map(({ name }) => name)).map((name) => {
    const found = known.find((backend) => backend.name === name);
    if (found !== undefined) return found;
    throw new IvitError('E_INPUT', `There is no backend "${name}" here`, {
      where: 'option backends',
      hint: `There are ${known.map((backend) => backend.name).join(', ')}.`,
    });
  });
}

/** The buffers of outputs, which nobody here needs any more. */
function buffersOf(results: readonly RunResult[]): Transfer {
  const buffers = new Set<ArrayBuffer>();
  for (const { outputs } of results) {
    for (const { data } of Object.values(outputs)) if (data.buffer instanceof ArrayBuffer) buffers.add(data.buffer);
  }
  return [...buffers];
}

async function quantizeCall(
  request: Calls['quantize']['request'],
  make: Make,
  context: Context,
): Promise<WireQuantized> {
  // Loaded here: a worker that runs models needs nothing of it.
  const { quantizeFromBytes } = await import('./quantize-call.js');
  const backends = await chooseBackends(make, { threads: 1, ...request.options });
  const { program, report } = await quantizeFromBytes(request, backends, context);
  return { bytes: writeProgram(program), model: modelId(program), report };
}

function unpackAll(photos: readonly WirePhoto[]): Photo[] {
  try {
    return photos.map(unpackPhoto);
  } finally {
    closePhotos(photos);
  }
}

function unpackOne(photo: WirePhoto): Photo {
  try {
    return unpackPhoto(photo);
  } finally {
    closePhotos([photo]);
  }
}

/** One model and what is asked of it. */
class Host {
  readonly #make: Make;
  #model: LoadedModel | undefined;

  constructor(make: Make) {
    this.#make = make;
  }

  async answer(call: AnyCall, context: Context): Promise<Answer> {
    switch (call.call) {
      case 'load':
        return { value: await this.#load(call, context), transfer: [] };
      case 'prepare': {
        const { photo, where } = call;
        const model = this.#loaded();
        const rule = { signal: context.signal, ...(where === undefined ? {} : { where }) };
        return { value: await model.prepare(unpackOne(photo), rule), transfer: [] };
      }
      case 'run': {
        const { photos, outputs } = call;
        const model = this.#loaded();
        const rule = { signal: context.signal, ...(outputs === undefined ? {} : { outputs }) };
        const results = await model.run(unpackAll(photos), rule);
        return { value: results, transfer: buffersOf(results) };
      }
      case 'classify': {
        const { photos, topK } = call;
        const model = this.#loaded();
        const rule = { signal: context.signal, ...(topK === undefined ? {} : { topK }) };
        return { value: await model.classify(unpackAll(photos), rule), transfer: [] };
      }
      case 'quantize': {
        const value = await quantizeCall(call, this.#make, context);
        return { value, transfer: value.bytes.buffer instanceof ArrayBuffer ? [value.bytes.buffer] : [] };
      }
      default:
        return call satisfies never;
    }
  }

  async #load({ source, options }: Calls['load']['request'], context: Context): Promise<WireLoaded> {
    if (this.#model !== undefined) throw new IvitError('E_INPUT', 'This worker has a model already', { where: 'load' });
    const { backends: _, ...others } = options;
    const model = await loadModel(unpackSource(source), {
      ...others,
      ...context,
      backends: await chooseBackends(this.#make, options),
    });
    throwIfAborted(context.signal);
    this.#model = model;
    return { program: model.program, info: model.info };
  }

  #loaded(): LoadedModel {
    if (this.#model !== undefined) return this.#model;
    throw new IvitError('E_INPUT', 'This worker has no model yet', { where: 'load' });
  }
}

/**
 * Makes this worker one that `loadModel` and `quantize` of `ivit/worker` can use. The script `ivit/model-worker` is this call
 * alone; a script of your own may give more backends.
 */
export function serveModels({ backends = defaultBackends, port = openPort() }: ServeOptions = {}): void {
  const host = new Host(backends);
  const running = new Map<number, AbortController>();
  const post = (message: FromWorker, transfer: Transfer = []): void => port.post(message, transfer);

  async function answer(id: number, call: AnyCall): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    const onProgress = (progress: unknown): void => post({ kind: 'progress', id, progress });
    try {
      const { value, transfer } = await host.answer(call, { signal: controller.signal, onProgress });
      post({ kind: 'done', id, value }, transfer);
    } catch (error) {
      post({ kind: 'failed', id, error: packError(error) });
    } finally {
      running.delete(id);
    }
  }

  port.listen((message: ToWorker) => {
    if (message.kind === 'abort') running.get(message.id)?.abort();
    else void answer(message.id, message.call);
  });
  port.onBroken((reason) => post({ kind: 'broken', reason }));
  void holdLifeLock().then((lock) => post({ kind: 'ready', ...(lock === undefined ? {} : { lock }) }));
}
