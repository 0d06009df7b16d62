import { createCpuBackend } from '@ivit/backend-cpu';
import { describe, expect, it } from 'vitest';
import { runChild } from './support/children.js';
import { until, watchThreads } from './support/node-threads.js';
import { bytes, denseProgram } from './support/programs.js';

const SLOW = { timeout: 60_000 };
const program = denseProgram(4, 16, 16);
const pixels = bytes(4 * 16, 1);

describe('a process', () => {
  const cases = [1, 3].flatMap((threads) => ['dispose', 'keep'].map((keep) => [threads, keep] as const));
  it.each(cases)('with %i thread(s) ends by itself when all is done (%s)', SLOW, async (threads, keep) => {
    const { code, stdout, stderr } = await runChild('ends.ts', [String(threads), keep], 40_000);
    expect(`${code} ${stderr}`).toBe('0 ');
    expect(stdout).toMatch(/^-?\d+\n$/);
  });

  it('ends by an error while threads run', SLOW, async () => {
    const { code, stderr } = await runChild('ends.ts', ['2', 'fail'], 40_000);
    expect(code).toBe(1);
    expect(stderr).toContain('planned');
  });
});

describe('threads', () => {
  it(
    'are as many as asked for, shared by the executables of a backend, and end a while after the last one',
    SLOW,
    async () => {
      const threads = watchThreads();
      const backend = createCpuBackend({ threads: 3 });
      const [a, b] = await Promise.all([backend.compile(program), backend.compile(program)]);
      expect(threads).toHaveLength(3);
      await a.dispose();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(threads.filter(({ ended }) => ended)).toHaveLength(0);
      await b.run(pixels, { batch: 1 });
      await b.dispose();
      await until(() => threads.every(({ ended }) => ended));
      expect(threads).toHaveLength(3);
    },
  );

  it('come back when a program is compiled after they ended', SLOW, async () => {
    const threads = watchThreads();
    const backend = createCpuBackend({ threads: 2 });
    const first = await backend.compile(program);
    const wanted = await first.run(pixels, { batch: 1 });
    await first.dispose();
    await until(() => threads.length === 2 && threads.every(({ ended }) => ended));
    const second = await backend.compile(program);
    expect(await second.run(pixels, { batch: 1 })).toEqual(wanted);
    expect(threads).toHaveLength(4);
    await second.dispose();
    await until(() => threads.every(({ ended }) => ended));
  });

  it('are not started by one thread, by probing, or by refused options', async () => {
    const threads = watchThreads();
    const backend = createCpuBackend({ threads: 1 });
    const executable = await backend.compile(program);
    await executable.run(pixels, { batch: 1 });
    await executable.dispose();
    await createCpuBackend({ threads: 4 }).probe();
    await expect(createCpuBackend({ threads: 4 }).compile(program, { maxBatch: 0 })).rejects.toThrow();
    expect(threads).toHaveLength(0);
  });

  it('end after compiles that were refused', SLOW, async () => {
    const threads = watchThreads();
    const backend = createCpuBackend({ threads: 2 });
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(backend.compile(program, { memoryLimit: 1 })).rejects.toMatchObject({ code: 'E_MEMORY' });
    }
    expect(threads.length).toBeGreaterThan(0);
    await until(() => threads.every(({ ended }) => ended));
  });
});
