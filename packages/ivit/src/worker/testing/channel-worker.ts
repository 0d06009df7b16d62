import { MessageChannel, Worker } from 'node:worker_threads';
import { isToWorker } from '../messages.js';
import { type ServeOptions, serveModels } from '../serve.js';
import type { PlatformWorker } from '../types.js';

export interface ChannelWorker extends PlatformWorker {
  /** Ids of calls that were aborted. */
  readonly aborted: readonly number[];
  /** Whether it was ended. */
  readonly ended: () => boolean;
  /** Does what a worker does that dies: nothing arrives any more, and its owner is told. */
  die(reason: string): void;
  addEventListener(
    type: string,
    listener: (event: { readonly data?: unknown; readonly message?: unknown }) => void,
  ): void;
}

/** A browser's worker in this thread: the same messages, cloned on their way. */
export function channelWorker(options: Omit<ServeOptions, 'port'> = {}): ChannelWorker {
  const { port1, port2 } = new MessageChannel();
  const aborted: number[] = [];
  let ended = false;
  const listeners = new Map<string, (event: { readonly data?: unknown; readonly message?: unknown }) => void>();
  port1.on('message', (data: unknown) => listeners.get('message')?.({ data }));
  serveModels({
    ...options,
    port: {
      post: (message, transfer) => port2.postMessage(message, transfer),
      listen: (onMessage) => {
        port2.on('message', (data: unknown) => {
          if (!isToWorker(data)) return;
          if (data.kind === 'abort') aborted.push(data.id);
          onMessage(data);
        });
      },
      onBroken: () => undefined,
    },
  });
  const end = (): void => {
    ended = true;
    port1.close();
    port2.close();
  };
  return {
    aborted,
    ended: () => ended,
    postMessage: (message, transfer) => port1.postMessage(message, transfer),
    terminate: end,
    die(reason) {
      end();
      listeners.get('error')?.({ message: reason });
    },
    addEventListener: (type, listener) => void listeners.set(type, listener),
  };
}

/** The script of the package, from its sources, in a thread of its own; or another one. */
export function threadWorker(script: URL = new URL('../../model-worker.ts', import.meta.url)): Worker {
  // A thread registers no loader hooks of its own.
  const load = `tsImport(${JSON.stringify(script.href)}, ${JSON.stringify(import.meta.url)})`;
  const source = `import('tsx/esm/api').then(({ tsImport }) => ${load});`;
  return new Worker(source, { eval: true, execArgv: ['--conditions=@ivit/source'] });
}
