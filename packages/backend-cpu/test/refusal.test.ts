/** What the backend refuses, by code, and that it goes on afterwards. */
import type { Executable } from '@ivit/backend';
import { createCpuBackend, kernelBytes } from '@ivit/backend-cpu';
import { createReferenceBackend } from '@ivit/backend-reference';
import { describe, expect, it } from 'vitest';
import { bytes, denseProgram, fingerprint, hugeProgram } from './support/programs.js';

const program = denseProgram(5, 16, 12);
const pixels = bytes(5 * 16, 1);

async function prints(executable: Executable): Promise<string> {
  return fingerprint(await executable.run(pixels, { batch: 1 }));
}

async function reference(): Promise<string> {
  return prints(await createReferenceBackend().compile(program));
}

describe('options', () => {
  it.each([0, -1, 65, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('threads: %d is E_INPUT', (threads) => {
    expect(() => createCpuBackend({ threads })).toThrow(expect.objectContaining({ code: 'E_INPUT' }));
  });

  it.each([1, 2, 64])('threads: %d is what probe and an executable say', async (threads) => {
    const backend = createCpuBackend({ threads });
    expect(await backend.probe()).toMatchObject({ available: true, threads });
    if (threads > 2) return;
    const executable = await backend.compile(program);
    expect(executable.info.threads).toBe(threads);
    await executable.dispose();
  });

  it('by default there are 1 to 4 threads', async () => {
    const result = await createCpuBackend().probe();
    expect(result.available && result.threads >= 1 && result.threads <= 4).toBe(true);
  });
});

describe.each([1, 2])('memory, on %i thread(s)', (threads) => {
  it('below what a program needs is E_MEMORY at compile, and the next compile works', async () => {
    const backend = createCpuBackend({ threads });
    const { info, dispose } = await backend.compile(program).then((executable) => ({
      info: executable.info,
      dispose: () => executable.dispose(),
    }));
    await dispose();
    for (const memoryLimit of [0, 1, info.bytes - 1]) {
      await expect(backend.compile(program, { memoryLimit })).rejects.toMatchObject({ code: 'E_MEMORY' });
    }
    const executable = await backend.compile(program, { memoryLimit: info.bytes });
    expect(await prints(executable)).toBe(await reference());
    await executable.dispose();
  });

  it('that the engine refuses is E_MEMORY with the cause, and the next compile works', async () => {
    const backend = createCpuBackend({ threads });
    const real = WebAssembly.Memory;
    const refusal = new RangeError('could not allocate memory');
    class Refusing {
      constructor() {
        throw refusal;
      }
    }
    const replace = (value: unknown): void => {
      Object.defineProperty(WebAssembly, 'Memory', { value, configurable: true, writable: true });
    };
    replace(Refusing);
    try {
      await expect(backend.compile(program)).rejects.toMatchObject({ code: 'E_MEMORY', cause: refusal });
    } finally {
      replace(real);
    }
    const executable = await backend.compile(program);
    expect(await prints(executable)).toBe(await reference());
    await executable.dispose();
  });

  it('beyond 4 GiB is E_MEMORY, before anything of it is allocated', async () => {
    const huge = hugeProgram();
    const before = process.memoryUsage().rss;
    const outputs = Object.keys(huge.values);
    const compiling = createCpuBackend({ threads }).compile(huge, { outputs });
    await expect(compiling).rejects.toMatchObject({ code: 'E_MEMORY' });
    expect(process.memoryUsage().rss - before).toBeLessThan(500_000_000);
  });
});

describe('a module given', () => {
  it.each([
    ['unshared', 1],
    ['shared', 2],
  ] as const)('of the %s build runs on %i thread(s)', async (kind, threads) => {
    const module = await WebAssembly.compile(kernelBytes(kind));
    const executable = await createCpuBackend({ threads, module }).compile(program);
    expect(executable.info.threads).toBe(threads);
    expect(await prints(executable)).toBe(await reference());
    await executable.dispose();
  });

  it.each([
    ['shared', 1],
    ['unshared', 2],
  ] as const)('of the %s build with %i thread(s) is refused with a code', async (kind, threads) => {
    const module = await WebAssembly.compile(kernelBytes(kind));
    const compiling = createCpuBackend({ threads, module }).compile(program);
    await expect(compiling).rejects.toMatchObject({ code: expect.stringMatching(/^E_/) });
  });

  it('that is another one is refused with a code', async () => {
    const module = await WebAssembly.compile(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    const compiling = createCpuBackend({ threads: 1, module }).compile(program);
    await expect(compiling).rejects.toMatchObject({ code: expect.stringMatching(/^E_/) });
  });
});
