import type { Worker, WorkerOptions } from 'node:worker_threads';
import { afterEach } from 'vitest';

const module = process.getBuiltinModule('node:worker_threads');
const original = module.Worker;

/** A thread that the backend started by itself. */
export interface Started {
  readonly worker: Worker;
  ended: boolean;
}

afterEach(() => {
  module.Worker = original;
});

/** From now to the end of the test, every worker thread that is started is in the list. */
export function watchThreads(): readonly Started[] {
  const list: Started[] = [];
  module.Worker = class extends original {
    constructor(file: string | URL, options?: WorkerOptions) {
      super(file, options);
      const started: Started = { worker: this, ended: false };
      this.on('exit', () => {
        started.ended = true;
      });
      list.push(started);
    }
  };
  return list;
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean, limit = 20_000): Promise<void> {
  const began = performance.now();
  while (!condition()) {
    if (performance.now() - began > limit) throw new Error(`not so after ${limit} ms: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
