/**
 * A thread of the CPU backend: holds an instance of the module per executable and walks its command list when told to.
 * The same file serves Node's worker threads and browsers' module workers; it imports nothing at run time.
 */
import type { FromWorker, ToWorker } from './worker-messages.js';

interface Port {
  postMessage(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

type Run = (list: number, count: number, threads: number, scratch: number) => number;

function nodePort(): Port | undefined {
  if (typeof process !== 'object' || typeof process.getBuiltinModule !== 'function') return undefined;
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  if (parentPort === null) return undefined;
  return {
    postMessage: (message) => parentPort.postMessage(message),
    onMessage: (listener) => parentPort.on('message', listener),
  };
}

/** The global scope of a web worker. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: { readonly data: ToWorker }) => void): void;
}

function isWorkerScope(scope: object): scope is WorkerScope {
  return 'postMessage' in scope && 'addEventListener' in scope;
}

function webPort(): Port {
  const scope: object = globalThis;
  if (!isWorkerScope(scope)) throw new TypeError('This file runs in a worker only');
  return {
    postMessage: (message) => scope.postMessage(message),
    onMessage: (listener) => scope.addEventListener('message', ({ data }) => listener(data)),
  };
}

function isRun(value: unknown): value is Run {
  return typeof value === 'function';
}

function absent(): never {
  throw new RangeError('the relaxed kernel is not loaded');
}

const port = nodePort() ?? webPort();
const loaded = new Map<number, { readonly run: Run; readonly scratch: number }>();

port.onMessage((message) => {
  try {
    switch (message.kind) {
      case 'load': {
        const { memory } = message;
        // Commands that the main module cannot run alone come with the other one; if they do not, it traps.
        const { relaxedLinear = absent, relaxedPack = absent } =
          message.relaxed === undefined ? {} : new WebAssembly.Instance(message.relaxed, { env: { memory } }).exports;
        const { exports } = new WebAssembly.Instance(message.module, { env: { memory, relaxedLinear, relaxedPack } });
        const run = exports['run'];
        if (!isRun(run)) throw new RangeError('the module has no run');
        loaded.set(message.id, { run, scratch: message.scratch });
        return;
      }
      case 'run': {
        const held = loaded.get(message.id);
        if (held === undefined) throw new RangeError(`executable ${message.id} is not loaded`);
        const { list, count, threads, scratch = held.scratch } = message;
        const groups = held.run(list, count, threads, scratch);
        port.postMessage({ kind: 'done', job: message.job, groups });
        return;
      }
      case 'drop':
        loaded.delete(message.id);
        return;
      default:
        message satisfies never;
    }
  } catch (error) {
    port.postMessage({ kind: 'failed', reason: String(error) });
  }
});
