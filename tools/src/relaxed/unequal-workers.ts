import { Worker } from 'node:worker_threads';
import type { WebWorker } from '@ivit/backend-cpu';
import { createCpuBackendWith, type Relaxed, WORKER_SOURCE } from '@ivit/backend-cpu/~internal';
import { createReferenceBackend } from '@ivit/backend-reference';
import { IvitError } from '@ivit/program';
import { makeBytes } from './products.js';
import { restrictedProgram } from './programs.js';

/** A worker of the backend; one that is `lesser` never gets the relaxed module. */
function createWorker(lesser: boolean): WebWorker {
  const worker = new Worker(WORKER_SOURCE, { eval: true, execArgv: [] });
  worker.unref();
  return {
    postMessage(message) {
      worker.postMessage(lesser && typeof message === 'object' ? { ...message, relaxed: undefined } : message);
    },
    addEventListener(type, listener) {
      if (type === 'message') worker.on('message', (data: unknown) => listener({ data }));
      if (type === 'error') worker.on('error', (error) => listener({ message: String(error) }));
    },
    terminate: () => void worker.terminate(),
  };
}

/**
 * What a run ends with where one of two workers cannot do what the other can: a code; or `right` or `wrong` where it ends well,
 * because the lesser one was handed no unit with a product.
 */
export async function runUnequally(lesser: number, relaxed: Relaxed): Promise<string> {
  let made = 0;
  const options = {
    threads: 2,
    createWorker: () => {
      made += 1;
      return createWorker(made - 1 === lesser);
    },
  };
  const backend = createCpuBackendWith(options, () => ({ relaxed, verdict: 'unsigned' }));
  const program = restrictedProgram(97, 40, relaxed);
  const executable = await backend.compile(program);
  const pixels = makeBytes(97 * 40, 1);
  const want = await (await createReferenceBackend().compile(program)).run(pixels, { batch: 1 });
  try {
    const got = await executable.run(pixels, { batch: 1 });
    return String(got[program.output]?.data) === String(want[program.output]?.data) ? 'right' : 'wrong';
  } catch (error) {
    return IvitError.isInstance(error) ? error.code : String(error);
  } finally {
    await executable.dispose();
  }
}
