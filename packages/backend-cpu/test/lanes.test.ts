/** Batches of at least as many images as threads: whole images per thread, with the bits of one after the other. */
import type { Executable } from '@ivit/backend';
import { createCpuBackend, type WebWorker } from '@ivit/backend-cpu';
import type { ValidatedProgram } from '@ivit/program';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytes, fingerprint, layeredProgram } from './support/programs.js';
import { createWebWorker, workerScript } from './support/web-worker.js';

const SLOW = { timeout: 120_000 };
const program = layeredProgram(19, 40, 5);
const size = 19 * 40;
const pixels = bytes(9 * size, 1);
const kept = ['x5', 'y2', 'sums4'];

/** Outputs of every image alone, on one thread. */
async function imageByImage(outputs: readonly string[]): Promise<readonly string[]> {
  const executable = await createCpuBackend({ threads: 1 }).compile(program, { outputs });
  const prints: string[] = [];
  for (let image = 0; image < 9; image++) {
    prints.push(fingerprint(await executable.run(pixels.slice(image * size, (image + 1) * size), { batch: 1 })));
  }
  return prints;
}

/** The same of a batch, taken apart. */
async function ofBatch(executable: Executable, batch: number): Promise<readonly string[]> {
  const outputs = await executable.run(pixels.slice(0, batch * size), { batch });
  return Array.from({ length: batch }, (_, image) =>
    fingerprint(
      Object.fromEntries(
        Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
          const count = data.length / batch;
          const own = data.slice(image * count, (image + 1) * count);
          return [name, { dtype, shape: [1, ...shape.slice(1)], data: own }];
        }),
      ),
    ),
  );
}

describe.each([2, 3, 4])('on %i threads', (threads) => {
  it.each([['the output alone', ['x5']] as const, ['other values, too', kept] as const])(
    'gives the bits of one image after the other: %s',
    SLOW,
    async (_, outputs) => {
      const wanted = await imageByImage(outputs);
      const executable = await createCpuBackend({ threads }).compile(program, { maxBatch: 9, outputs });
      for (const batch of [1, 2, 3, 4, 5, 8, 9, 4, 1]) {
        expect(await ofBatch(executable, batch)).toEqual(wanted.slice(0, batch));
      }
      await executable.dispose();
    },
  );
});

it('runs beside other executables of the same threads', SLOW, async () => {
  const wanted = await imageByImage(['x5']);
  const backend = createCpuBackend({ threads: 2 });
  const executables = await Promise.all([9, 1, 4].map((maxBatch) => backend.compile(program, { maxBatch })));
  const runs = [0, 1, 2].flatMap(() => executables.map((executable, i) => ofBatch(executable, [9, 1, 3][i] as number)));
  for (const prints of await Promise.all(runs)) expect(prints).toEqual(wanted.slice(0, prints.length));
  await Promise.all(executables.map((executable) => executable.dispose()));
});

it('takes memory for it only where a batch can be so large and the limit allows it', SLOW, async () => {
  const wanted = await imageByImage(['x5']);
  const backend = createCpuBackend({ threads: 4 });
  const bytesOf = async (maxBatch: number, memoryLimit?: number): Promise<number> => {
    const executable = await backend.compile(program, {
      maxBatch,
      ...(memoryLimit === undefined ? {} : { memoryLimit }),
    });
    expect(await ofBatch(executable, maxBatch)).toEqual(wanted.slice(0, maxBatch));
    await executable.dispose();
    return executable.info.bytes;
  };
  const plain = await bytesOf(3);
  const withLanes = await bytesOf(4);
  expect(withLanes).toBeGreaterThan(plain);
  expect(await bytesOf(9, withLanes)).toBe(withLanes);
  expect(await bytesOf(9, withLanes - 1)).toBe(plain);
  expect(await bytesOf(9, plain)).toBe(plain);
  await expect(bytesOf(9, plain - 1)).rejects.toMatchObject({ code: 'E_MEMORY' });
});

it('lets each thread run images alone, and all together what is left over', SLOW, async () => {
  const script = await workerScript();
  const told: string[] = [];
  let made = 0;
  const createWorker = (): WebWorker => {
    const worker = createWebWorker(script);
    const thread = made++;
    const postMessage = (message: unknown): void => {
      const { kind, threads } = message as { readonly kind: string; readonly threads?: number };
      if (kind === 'run') told.push(threads === 1 ? 'alone' : `thread ${thread} of ${threads}`);
      worker.postMessage(message);
    };
    return { ...worker, postMessage };
  };
  const executable = await createCpuBackend({ threads: 2, createWorker }).compile(program, { maxBatch: 9 });
  await ofBatch(executable, 9);
  const shared = ['thread 0 of 2', 'thread 1 of 2'];
  expect(told).toEqual([...new Array(8).fill('alone'), ...shared]);
  await ofBatch(executable, 1);
  expect(told.slice(10)).toEqual(shared);
  await executable.dispose();
});

it('a worker that dies with an image of its own is E_DEVICE_LOST', SLOW, async () => {
  const script = await workerScript();
  let made = 0;
  const createWorker = () => createWebWorker(script, made++ === 1 ? { kind: 'exit', at: 2 } : undefined);
  const backend = createCpuBackend({ threads: 2, createWorker });
  const executable = await backend.compile(program, { maxBatch: 9 });
  await expect(ofBatch(executable, 9)).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
  await executable.dispose();
  const next = await backend.compile(program, { maxBatch: 9 });
  expect(await ofBatch(next, 9)).toEqual(await imageByImage(['x5']));
  await next.dispose();
});

describe('while every thread has an image of its own', () => {
  let slow: ValidatedProgram;
  let wanted = '';
  /** Milliseconds of an image on one thread. */
  let whole = 0;
  const photo = bytes(256 * 512, 1);
  const many = new Uint8Array(8 * photo.length);
  const print = async (executable: Executable): Promise<string> =>
    fingerprint(await executable.run(photo, { batch: 1 }));

  beforeAll(async () => {
    slow = layeredProgram(256, 512, 60);
    const executable = await createCpuBackend({ threads: 1 }).compile(slow);
    const began = performance.now();
    wanted = await print(executable);
    whole = performance.now() - began;
    await executable.dispose();
  }, 120_000);

  it('an abort ends all of them within a part of an image, and the next run gives the right bits', SLOW, async () => {
    const executable = await createCpuBackend({ threads: 2 }).compile(slow, { maxBatch: 8 });
    await print(executable); // the threads have started
    for (const share of [0, 0.3, 1.2]) {
      const controller = new AbortController();
      const run = executable.run(many, { batch: 8, signal: controller.signal });
      let aborted = 0;
      setTimeout(() => {
        aborted = performance.now();
        controller.abort();
      }, share * whole);
      await expect(run).rejects.toMatchObject({ code: 'E_ABORTED' });
      // Nearly three images or more are left to each thread; a group is a sixtieth of one.
      expect(performance.now() - aborted).toBeLessThan(2 * whole);
      expect(await print(executable)).toBe(wanted);
    }
    await executable.dispose();
  });

  it('dispose ends the run', SLOW, async () => {
    const executable = await createCpuBackend({ threads: 2 }).compile(slow, { maxBatch: 8 });
    await print(executable);
    const run = executable.run(many, { batch: 8 });
    const end = expect(run).rejects.toMatchObject({ code: 'E_DISPOSED' });
    await new Promise((resolve) => setTimeout(resolve, 0.5 * whole));
    const began = performance.now();
    await executable.dispose();
    expect(performance.now() - began).toBeLessThan(2 * whole);
    await end;
  });
});
