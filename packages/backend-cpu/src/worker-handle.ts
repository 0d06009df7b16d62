/** Workers of Node and of browsers behind one interface. */
import { WORKER_SOURCE } from './generated/worker-source.js';
import type { FromWorker, ToWorker } from './worker-messages.js';

export interface WorkerHandle {
  post(message: ToWorker): void;
  listen(onMessage: (message: FromWorker) => void, onFailure: (reason: string) => void): void;
  /** Whether the worker keeps the process alive. */
  hold(busy: boolean): void;
  terminate(): void;
}

/** The part of a browser's Worker that is used. */
export interface WebWorker {
  postMessage(message: unknown): void;
  addEventListener(type: 'message' | 'error' | 'messageerror', listener: (event: WebWorkerEvent) => void): void;
  terminate(): void;
}

export interface WebWorkerEvent {
  readonly data?: unknown;
  readonly message?: unknown;
}

function isFromWorker(data: unknown): data is FromWorker {
  return (
    typeof data === 'object' && data !== null && 'kind' in data && (data.kind === 'done' || data.kind === 'failed')
  );
}

function handleOfWeb(worker: WebWorker): WorkerHandle {
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onFailure) {
      worker.addEventListener('message', ({ data }) => {
        if (isFromWorker(data)) onMessage(data);
      });
      worker.addEventListener('error', ({ message }) => onFailure(String(message ?? 'it could not be started')));
      worker.addEventListener('messageerror', () => onFailure('a message could not be read'));
    },
    hold: () => undefined,
    terminate: () => worker.terminate(),
  };
}

/** Node's worker threads, where they are there. */
function createNodeWorker(): WorkerHandle | undefined {
  if (typeof process !== 'object' || typeof process.getBuiltinModule !== 'function') return undefined;
  const threads = process.getBuiltinModule('node:worker_threads');
  if (typeof threads?.Worker !== 'function') return undefined;
  // No flags of the process: loaders and inspectors have no business in a loop over integers.
  const worker = new threads.Worker(WORKER_SOURCE, { eval: true, execArgv: [] });
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onFailure) {
      worker.on('message', (data: unknown) => {
        if (isFromWorker(data)) onMessage(data);
      });
      worker.on('error', (error) => onFailure(String(error)));
      worker.on('exit', (code) => onFailure(`it exited with code ${code}`));
    },
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

/**
 * A worker that runs `worker.ts`.
 *
 * @param create how to make one where the default does not find the file; see `CpuBackendOptions`
 */
export function createWorkerHandle(create: (() => WebWorker) | undefined): WorkerHandle {
  if (create !== undefined) return handleOfWeb(create());
  return createNodeWorker() ?? handleOfWeb(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
}
