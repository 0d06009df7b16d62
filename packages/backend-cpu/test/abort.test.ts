import type { Executable } from '@ivit/backend';
import { createCpuBackend } from '@ivit/backend-cpu';
import type { ValidatedProgram } from '@ivit/program';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytes, fingerprint, layeredProgram } from './support/programs.js';

const SLOW = { timeout: 120_000 };
const pixels = bytes(256 * 512, 1);
let program: ValidatedProgram;
let wanted = '';
/** Milliseconds of a whole run on one thread. */
let whole = 0;

async function prints(executable: Executable): Promise<string> {
  return fingerprint(await executable.run(pixels, { batch: 1 }));
}

beforeAll(async () => {
  // Long enough that an abort after a tenth of it comes in time on any machine.
  program = layeredProgram(256, 512, 60);
  const executable = await createCpuBackend({ threads: 1 }).compile(program);
  const began = performance.now();
  wanted = await prints(executable);
  whole = performance.now() - began;
  await executable.dispose();
}, 120_000);

/** Aborts a run of so many images, and says when it ended. */
async function abortedAfter(executable: Executable, milliseconds: number, images = 1): Promise<number> {
  const controller = new AbortController();
  const reason = new Error('changed my mind');
  const began = performance.now();
  setTimeout(() => controller.abort(reason), milliseconds);
  const many = new Uint8Array(images * pixels.length);
  const run = executable.run(many, { batch: images, signal: controller.signal });
  await expect(run).rejects.toMatchObject({ code: 'E_ABORTED', cause: reason });
  return performance.now() - began;
}

describe.each([1, 2])('on %i thread(s)', (threads) => {
  it('a run that is aborted ends early with E_ABORTED, and the next one gives the right bits', SLOW, async () => {
    const executable = await createCpuBackend({ threads }).compile(program, { maxBatch: 8 });
    await executable.run(pixels, { batch: 1 });
    for (const share of [0.1, 0.3]) {
      // Of eight images, so that no spell of a machine that is suddenly less busy ends the run before its abort.
      await abortedAfter(executable, share * whole, 8);
      expect(await prints(executable)).toBe(wanted);
    }
    await executable.dispose();
  });

  it('an abort ends its own run alone', SLOW, async () => {
    const executable = await createCpuBackend({ threads }).compile(program);
    const [aborted, behind] = await Promise.all([abortedAfter(executable, 0.1 * whole), prints(executable)]);
    expect(aborted).toBeLessThan(1.5 * whole);
    expect(behind).toBe(wanted);
    await executable.dispose();
  });

  it('an abort between the images of a batch ends the batch', SLOW, async () => {
    const executable = await createCpuBackend({ threads }).compile(program, { maxBatch: 8 });
    const controller = new AbortController();
    const many = new Uint8Array(8 * pixels.length);
    const run = executable.run(many, { batch: 8, signal: controller.signal });
    setTimeout(() => controller.abort(), 1.5 * whole);
    const began = performance.now();
    await expect(run).rejects.toMatchObject({ code: 'E_ABORTED' });
    expect(performance.now() - began).toBeLessThan(6 * whole);
    expect(await prints(executable)).toBe(wanted);
    await executable.dispose();
  });

  it('dispose while a run goes on and another waits ends both, and frees the executable', SLOW, async () => {
    const backend = createCpuBackend({ threads });
    const executable = await backend.compile(program);
    const runs = [0, 1].map(() => executable.run(pixels, { batch: 1 }));
    const ends = Promise.allSettled(runs);
    await new Promise((resolve) => setTimeout(resolve, 0.1 * whole));
    await executable.dispose();
    for (const end of await ends) expect(end).toMatchObject({ status: 'rejected', reason: { code: 'E_DISPOSED' } });
    const next = await backend.compile(program);
    expect(await prints(next)).toBe(wanted);
    await next.dispose();
  });

  it('dispose waits for the run, also when called twice', SLOW, async () => {
    const executable = await createCpuBackend({ threads }).compile(program);
    let ended = false;
    const run = executable.run(pixels, { batch: 1 }).finally(() => {
      ended = true;
    });
    const failed = expect(run).rejects.toMatchObject({ code: 'E_DISPOSED' });
    await new Promise((resolve) => setTimeout(resolve, 0.1 * whole));
    const first = executable.dispose();
    await executable.dispose();
    expect(ended).toBe(true);
    await Promise.all([first, failed]);
  });
});

it('a trace that is left open does not keep dispose of other executables waiting', SLOW, async () => {
  const small = layeredProgram(4, 16, 3);
  const backend = createCpuBackend({ threads: 2 });
  const [a, b] = await Promise.all([backend.compile(small), backend.compile(small)]);
  const trace = a.trace(bytes(64, 1))[Symbol.asyncIterator]();
  expect((await trace.next()).done).toBe(false);
  await b.run(bytes(64, 1), { batch: 1 });
  await b.dispose();
  await trace.return?.();
  await a.dispose();
});
