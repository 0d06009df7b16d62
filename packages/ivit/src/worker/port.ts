import { type FromWorker, isToWorker, type ToWorker } from './messages.js';

/** The worker's end of the line to whoever started it. */
export interface Port {
  post(message: FromWorker, transfer: ArrayBuffer[]): void;
  listen(onMessage: (message: ToWorker) => void): void;
  /** Called for what would otherwise be lost in the worker's console. */
  onBroken(listener: (reason: string) => void): void;
}

interface WorkerScope {
  postMessage(message: FromWorker, transfer: ArrayBuffer[]): void;
  addEventListener(
    type: string,
    listener: (event: { readonly data?: unknown; readonly reason?: unknown }) => void,
  ): void;
}

function isWorkerScope(scope: object): scope is WorkerScope {
  return 'postMessage' in scope && 'addEventListener' in scope;
}

/** @throws TypeError where this is no worker */
export function openPort(): Port {
  const threads = typeof process === 'object' ? process.getBuiltinModule?.('node:worker_threads') : undefined;
  const parent = threads?.parentPort;
  if (parent) {
    return {
      post: (message, transfer) => parent.postMessage(message, transfer),
      listen: (onMessage) => parent.on('message', (data: unknown) => isToWorker(data) && onMessage(data)),
      // An unhandled rejection ends a thread of Node, and its owner is told.
      onBroken: () => undefined,
    };
  }
  const scope: object = globalThis;
  if (!isWorkerScope(scope)) throw new TypeError('This file runs in a worker only');
  return {
    post: (message, transfer) => scope.postMessage(message, transfer),
    listen: (onMessage) => scope.addEventListener('message', ({ data }) => isToWorker(data) && onMessage(data)),
    onBroken: (listener) => scope.addEventListener('unhandledrejection', ({ reason }) => listener(String(reason))),
  };
}
