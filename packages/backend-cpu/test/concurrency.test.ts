import type { Backend, Executable } from '@ivit/backend';
import { createCpuBackend } from '@ivit/backend-cpu';
import { createReferenceBackend } from '@ivit/backend-reference';
import { describe, expect, it } from 'vitest';
import { bytes, denseProgram, fingerprint, layeredProgram } from './support/programs.js';

const SLOW = { timeout: 60_000 };

/** Row counts around strips of 8 and 16, and odd ones. */
const ROWS = [1, 3, 5, 7, 9, 13, 15, 17, 31, 33, 61];

/** Fingerprint of every value by itself, and of the output of an executable that keeps nothing else. */
async function printsOf(rows: number, backend: Backend): Promise<readonly string[]> {
  const program = layeredProgram(rows, 19, 3);
  const prints: string[] = [];
  for (const outputs of [Object.keys(program.values), []]) {
    const executable = await backend.compile(program, { maxBatch: 2, outputs });
    prints.push(fingerprint(await executable.run(bytes(2 * rows * 19, rows), { batch: 2 })));
    await executable.dispose();
  }
  return prints;
}

const backends = [1, 2, 3, 4].map((threads) => createCpuBackend({ threads }));

describe('the same bits on 1, 2, 3 and 4 threads', () => {
  it.each(ROWS)('for %i rows', SLOW, async (rows) => {
    const wanted = await printsOf(rows, createReferenceBackend());
    expect(wanted[0]).toContain(wanted[1]);
    for (const backend of backends) expect(await printsOf(rows, backend)).toEqual(wanted);
  });
});

describe.each([1, 2, 3])('executables of one backend side by side, on %i thread(s)', (threads) => {
  it('give their own bits however their runs meet', SLOW, async () => {
    const backend = createCpuBackend({ threads });
    const programs = [layeredProgram(13, 40, 5), denseProgram(33, 64, 72), layeredProgram(5, 24, 9)];
    const executables = await Promise.all(programs.map((program) => backend.compile(program)));
    const sizes = [13 * 40, 33 * 64, 5 * 24];
    const run = async (executable: Executable, index: number, seed: number): Promise<string> =>
      fingerprint(await executable.run(bytes(sizes[index] ?? 0, seed), { batch: 1 }));
    const alone: string[][] = [];
    for (const [index, executable] of executables.entries()) {
      const own: string[] = [];
      for (let seed = 0; seed < 4; seed++) own.push(await run(executable, index, seed));
      alone.push(own);
    }
    const together = await Promise.all(
      executables.map((executable, index) =>
        Promise.all(Array.from({ length: 40 }, (_, call) => run(executable, index, call % 4))),
      ),
    );
    for (const [index, results] of together.entries()) {
      for (const [call, result] of results.entries()) expect(result).toBe(alone[index]?.[call % 4]);
    }
    await Promise.all(executables.map((executable) => executable.dispose()));
  });

  it('go on when one of them is disposed of or aborted while others wait', SLOW, async () => {
    const backend = createCpuBackend({ threads });
    const program = layeredProgram(64, 128, 20);
    const pixels = bytes(64 * 128, 3);
    const [a, b] = await Promise.all([backend.compile(program), backend.compile(program)]);
    const print = async (executable: Executable, signal?: AbortSignal): Promise<string> =>
      fingerprint(await executable.run(pixels, { batch: 1, ...(signal === undefined ? {} : { signal }) }));
    const wanted = await print(a);
    for (let round = 0; round < 5; round++) {
      const c = await backend.compile(program);
      const controller = new AbortController();
      const runs = Promise.allSettled([print(a), print(b, controller.signal), print(c), print(b), print(a)]);
      await new Promise((resolve) => setTimeout(resolve, round));
      controller.abort();
      await c.dispose();
      const [first, aborted, disposed, ...rest] = await runs;
      expect(first).toEqual({ status: 'fulfilled', value: wanted });
      for (const end of rest) expect(end).toEqual({ status: 'fulfilled', value: wanted });
      if (aborted.status === 'fulfilled') expect(aborted.value).toBe(wanted);
      else expect(aborted.reason).toMatchObject({ code: 'E_ABORTED' });
      if (disposed.status === 'fulfilled') expect(disposed.value).toBe(wanted);
      else expect(disposed.reason).toMatchObject({ code: 'E_DISPOSED' });
    }
    await Promise.all([a.dispose(), b.dispose()]);
  });
});
