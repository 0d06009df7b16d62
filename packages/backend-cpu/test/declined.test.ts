/** Why something that could serve is not used, as `probe` says it, reason by reason. */
import { createCpuBackend, kernelBytes, relaxedKernelBytes } from '@ivit/backend-cpu';
import { type Choice, createCpuBackendWith } from '@ivit/backend-cpu/~internal';
import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** `make` is called, and the backend probed, with these globals. */
async function declined(
  make: () => ReturnType<typeof createCpuBackend>,
  globals: Readonly<Record<string, unknown>> = {},
): Promise<readonly string[] | undefined> {
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  const probing = make().probe();
  const result = await probing;
  vi.unstubAllGlobals();
  return result.available ? result.declined : [result.code];
}

describe('relaxed SIMD is declined', () => {
  it('where the engine does not know it', async () => {
    const { validate } = WebAssembly;
    const size = relaxedKernelBytes('shared').length;
    vi.spyOn(WebAssembly, 'validate').mockImplementation((code) => code.byteLength !== size && validate(code));
    expect(await declined(() => createCpuBackend({ threads: 2 }))).toEqual(['relaxed-simd:unsupported']);
  });

  it('where a module is given without it', async () => {
    const module = await WebAssembly.compile(kernelBytes('shared'));
    expect(await declined(() => createCpuBackend({ threads: 2, module }))).toEqual(['relaxed-simd:no-module']);
  });
});

describe('threads are declined', () => {
  const used = (): Choice => ({ relaxed: { flip: 0, least: -128 }, verdict: 'signed' });
  const make = (threads?: number) => () => createCpuBackendWith(threads === undefined ? {} : { threads }, used);
  const reasons = async (threads?: number, globals?: Readonly<Record<string, unknown>>) =>
    (await declined(make(threads), globals))?.filter((reason) => reason.startsWith('threads:'));

  it('not where there are two', async () => {
    expect(await reasons(2)).toEqual([]);
  });

  it('where one is asked for, or there is one core', async () => {
    expect(await reasons(1)).toEqual(['threads:asked']);
    expect(await reasons(undefined, { navigator: { hardwareConcurrency: 1 } })).toEqual(['threads:one-core']);
  });

  it('where there is no shared memory, however many are asked for', async () => {
    expect(await reasons(2, { SharedArrayBuffer: undefined })).toEqual(['threads:no-shared-memory']);
    expect(await reasons(1, { Atomics: undefined })).toEqual(['threads:no-shared-memory']);
  });

  it('where a page is not cross-origin isolated', async () => {
    const page = { process: undefined, crossOriginIsolated: false };
    expect(await reasons(2, page)).toEqual(['threads:not-isolated']);
  });

  it('where there are no workers', async () => {
    expect(await reasons(2, { process: {}, Worker: undefined })).toEqual(['threads:no-workers']);
  });
});
