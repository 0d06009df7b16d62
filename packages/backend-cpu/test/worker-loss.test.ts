/** Threads that die, throw or are misled in the middle of a run: an error with a code, and the backend goes on. */
import type { Executable } from '@ivit/backend';
import { createCpuBackend, type WebWorker } from '@ivit/backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { until, watchThreads } from './support/node-threads.js';
import { bytes, denseProgram, fingerprint, layeredProgram } from './support/programs.js';
import { type Accident, createWebWorker, workerScript } from './support/web-worker.js';

const SLOW = { timeout: 60_000 };
const program = layeredProgram(9, 24, 4);
const pixels = bytes(9 * 24, 1);
let script = '';

beforeAll(async () => {
  script = await workerScript();
}, 60_000);

async function prints(executable: Executable): Promise<string> {
  return fingerprint(await executable.run(pixels, { batch: 1 }));
}

async function rightOutputs(): Promise<string> {
  return prints(await createCpuBackend({ threads: 1 }).compile(program));
}

/** The worker with this number (from 0) has the accident; those made later have none. */
function withAccident(unlucky: number, accident: Accident): () => WebWorker {
  let made = 0;
  return () => {
    made += 1;
    return createWebWorker(script, made - 1 === unlucky ? accident : undefined);
  };
}

describe('createWorker', () => {
  it('makes the threads', SLOW, async () => {
    let made = 0;
    const createWorker = (): WebWorker => {
      made += 1;
      return createWebWorker(script);
    };
    const executable = await createCpuBackend({ threads: 3, createWorker }).compile(program);
    expect(executable.info.threads).toBe(3);
    expect(await prints(executable)).toBe(await rightOutputs());
    expect(made).toBe(3);
    await executable.dispose();
  });

  it('that throws makes compile fail, and nothing is left behind', SLOW, async () => {
    const createWorker = (): WebWorker => {
      throw new Error('no worker here');
    };
    await expect(createCpuBackend({ threads: 2, createWorker }).compile(program)).rejects.toThrow('no worker here');
  });
});

const ACCIDENTS: readonly (readonly [text: string, unlucky: number, accident: Accident])[] = [
  ['exits at its first run', 0, { kind: 'exit', at: 1 }],
  ['exits at its third run', 1, { kind: 'exit', at: 3 }],
  ['throws at its second run', 1, { kind: 'throw', at: 2 }],
  ['is told to run what it does not have', 0, { kind: 'garbage', at: 2 }],
];

describe.each(ACCIDENTS)('a worker that %s', (_, unlucky, accident) => {
  it('is E_DEVICE_LOST for that run and those behind it, and the next compile works', SLOW, async () => {
    const wanted = await rightOutputs();
    const backend = createCpuBackend({ threads: 2, createWorker: withAccident(unlucky, accident) });
    const executable = await backend.compile(program);
    for (let run = 1; run < accident.at; run++) expect(await prints(executable)).toBe(wanted);
    const lost = { code: 'E_DEVICE_LOST' };
    const runs = [0, 1].map(() => executable.run(pixels, { batch: 1 }));
    for (const run of await Promise.allSettled(runs)) {
      expect(run).toMatchObject({ status: 'rejected', reason: lost });
    }
    await expect(executable.run(pixels, { batch: 1 })).rejects.toMatchObject(lost);
    await executable.dispose();
    await expect(executable.run(pixels, { batch: 1 })).rejects.toMatchObject({ code: 'E_DISPOSED' });
    const next = await backend.compile(program);
    expect(await prints(next)).toBe(wanted);
    await next.dispose();
  });

  it('is E_DEVICE_LOST for every executable on these threads', SLOW, async () => {
    const backend = createCpuBackend({ threads: 2, createWorker: withAccident(unlucky, { ...accident, at: 1 }) });
    const other = await backend.compile(denseProgram(4, 16, 16));
    const executable = await backend.compile(program);
    await expect(executable.run(pixels, { batch: 1 })).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
    await expect(other.run(bytes(64, 1), { batch: 1 })).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
    await Promise.all([executable.dispose(), other.dispose()]);
  });
});

describe("a thread of Node's", () => {
  it('that is ended from outside while it rests or runs is E_DEVICE_LOST', SLOW, async () => {
    const wanted = await rightOutputs();
    const threads = watchThreads();
    const backend = createCpuBackend({ threads: 2 });
    const resting = await backend.compile(program);
    expect(await prints(resting)).toBe(wanted);
    await threads[0]?.worker.terminate();
    await expect(resting.run(pixels, { batch: 1 })).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
    // The other one would wait for it for ever: it ends, too.
    await until(() => threads.every(({ ended }) => ended));

    const running = await backend.compile(layeredProgram(256, 512, 60));
    const run = running.run(bytes(256 * 512, 1), { batch: 1 });
    await Promise.all([
      expect(run).rejects.toMatchObject({ code: 'E_DEVICE_LOST' }),
      until(() => threads.length === 4).then(() => threads[3]?.worker.terminate()),
    ]);
    await until(() => threads.every(({ ended }) => ended));

    const next = await backend.compile(program);
    expect(await prints(next)).toBe(wanted);
    await next.dispose();
  });
});
