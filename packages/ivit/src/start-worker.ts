/** Workers of browsers and of Node behind one interface. This file stays beside `model-worker.js` in the package. */
import { IvitError } from '@ivit/program';
import { type FromWorker, isFromWorker, type ToWorker } from './worker/messages.js';
import type { PlatformWorker } from './worker/types.js';

export interface WorkerHandle {
  post(message: ToWorker, transfer: ArrayBuffer[]): void;
  listen(onMessage: (message: FromWorker) => void, onDeath: (reason: string) => void): void;
  /** Whether the worker keeps the process alive, where there is one. */
  hold(busy: boolean): void;
  terminate(): Promise<void>;
}

/** A browser's worker, as far as it is used. */
interface WebWorker extends PlatformWorker {
  addEventListener(
    type: string,
    listener: (event: { readonly data?: unknown; readonly message?: unknown }) => void,
  ): void;
}
/** A worker thread of Node, as far as it is used. */
interface ThreadWorker extends PlatformWorker {
  on(type: string, listener: (value: unknown) => void): unknown;
  ref(): void;
  unref(): void;
}
declare const Worker: new (url: URL, options: { readonly type: 'module' }) => WebWorker;

/** Not written into the URL itself, so that bundlers for browsers see the file once. */
const NODE_SCRIPT = './model-worker.js';

function isWeb(worker: PlatformWorker): worker is WebWorker {
  return 'addEventListener' in worker;
}

function isThread(worker: PlatformWorker): worker is ThreadWorker {
  return 'on' in worker && 'ref' in worker;
}

function startWorker(): PlatformWorker {
  const threads = typeof process === 'object' ? process.getBuiltinModule?.('node:worker_threads') : undefined;
  if (typeof threads?.Worker === 'function') return new threads.Worker(new URL(NODE_SCRIPT, import.meta.url));
  return new Worker(new URL('./model-worker.js', import.meta.url), { type: 'module' });
}

/**
 * Starts a worker that runs `model-worker.ts`.
 *
 * @param create how to make it where the default does not find the file
 * @throws E_WORKER where the platform or the page's policy lets none start
 */
export function createWorkerHandle(create: (() => PlatformWorker) | undefined): WorkerHandle {
  let worker: PlatformWorker;
  try {
    worker = (create ?? startWorker)();
  } catch (cause) {
    throw new IvitError('E_WORKER', `No worker can be started: ${String(cause)}`, {
      hint: "Allow worker-src 'self' in the page's policy, or load the model without a worker.",
      cause,
    });
  }
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onDeath) {
      const receive = (data: unknown): void => {
        if (isFromWorker(data)) onMessage(data);
      };
      // Threads first: they have both kinds of listeners.
      if (isThread(worker)) {
        worker.on('message', receive);
        worker.on('error', (error) => onDeath(String(error)));
        worker.on('messageerror', () => onDeath('a message could not be read'));
        worker.on('exit', (code) => onDeath(`it exited with code ${String(code)}`));
      } else if (isWeb(worker)) {
        worker.addEventListener('message', ({ data }) => receive(data));
        worker.addEventListener('messageerror', () => onDeath('a message could not be read'));
        worker.addEventListener('error', ({ message }) =>
          onDeath(typeof message === 'string' ? message : 'its script could not be loaded or is refused'),
        );
      }
    },
    hold(busy) {
      if (!isThread(worker)) return;
      if (busy) worker.ref();
      else worker.unref();
    },
    async terminate() {
      await worker.terminate();
    },
  };
}
