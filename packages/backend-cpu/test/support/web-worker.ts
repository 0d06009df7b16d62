/** Workers as browsers have them, made of Node's threads and the code of `@ivit/backend-cpu/worker`. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { WebWorker, WebWorkerEvent } from '@ivit/backend-cpu';
import { build } from 'esbuild';

/** What becomes of a worker when it is told to run for the `at`-th time. */
export interface Accident {
  readonly kind: 'exit' | 'throw' | 'garbage';
  readonly at: number;
}

const WORKER = fileURLToPath(new URL('../../src/worker.ts', import.meta.url));

/** The script of the worker. */
export async function workerScript(): Promise<string> {
  const options = { bundle: true, write: false, format: 'iife', platform: 'neutral', target: 'es2022' } as const;
  const { outputFiles } = await build({ entryPoints: [WORKER], ...options });
  return outputFiles[0]?.text ?? '';
}

const EFFECTS: Readonly<Record<Accident['kind'], string>> = {
  exit: 'process.exit(3)',
  // The worker's own listener is called all the same: it finds nothing to do.
  throw: "{ message.kind = 'nothing'; throw new Error('planned'); }",
  garbage: 'message.id = 12345',
};

/** A listener before the worker's own. */
function planned(accident: Accident | undefined): string {
  if (accident === undefined) return '';
  return `let runs = 0;
    require('node:worker_threads').parentPort.on('message', (message) => {
      if (message.kind !== 'run') return;
      runs += 1;
      if (runs === ${accident.at}) ${EFFECTS[accident.kind]};
    });`;
}

export function createWebWorker(script: string, accident?: Accident): WebWorker {
  const worker = new Worker(`${planned(accident)}${script}`, { eval: true, execArgv: [] });
  // A page's workers keep no process alive either.
  worker.unref();
  let terminated = false;
  return {
    postMessage: (message) => worker.postMessage(message),
    addEventListener(type: string, listener: (event: WebWorkerEvent) => void) {
      if (type === 'message') worker.on('message', (data: unknown) => listener({ data }));
      if (type !== 'error') return;
      worker.on('error', (error) => listener({ message: String(error) }));
      worker.on('exit', (code) => {
        if (!terminated) listener({ message: `exit ${code}` });
      });
    },
    terminate: () => {
      terminated = true;
      void worker.terminate();
    },
  };
}
