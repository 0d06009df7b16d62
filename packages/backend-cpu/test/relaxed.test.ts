/** Which module runs: what the engine validates, compiles and is given decides, and every refusal has a code. */

import { createCpuBackend, kernelBytes, relaxedKernelBytes } from '@ivit/backend-cpu';
import { createCpuBackendWith } from '@ivit/backend-cpu/~internal';
import { createReferenceBackend } from '@ivit/backend-reference';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bytes, fingerprint, layeredProgram } from './support/programs.js';

const program = layeredProgram(9, 24, 4);
const pixels = bytes(9 * 24, 1);
const hasRelaxed = WebAssembly.validate(relaxedKernelBytes('unshared'));

async function variantAndPrint(backend: ReturnType<typeof createCpuBackend>): Promise<readonly [string, string]> {
  const executable = await backend.compile(program);
  const print = fingerprint(await executable.run(pixels, { batch: 1 }));
  await executable.dispose();
  return [executable.info.variant, print];
}

async function rightPrint(): Promise<string> {
  return fingerprint(await (await createReferenceBackend().compile(program)).run(pixels, { batch: 1 }));
}

const refused = (): Promise<never> => Promise.reject(new Error('Refused to compile: unsafe-eval is not allowed'));

afterEach(() => vi.restoreAllMocks());

describe('the int16 kernel runs', () => {
  it('where the engine does not validate relaxed SIMD', async () => {
    const { validate } = WebAssembly;
    const size = relaxedKernelBytes('unshared').length;
    vi.spyOn(WebAssembly, 'validate').mockImplementation((code) => code.byteLength !== size && validate(code));
    const backend = createCpuBackend({ threads: 1 });
    expect(await backend.probe()).toMatchObject({ available: true, features: ['simd128'] });
    expect(await variantAndPrint(backend)).toEqual(['wasm-simd128', await rightPrint()]);
  });

  it('where the choice is against the other, on one thread and on two', async () => {
    const against = { relaxed: undefined, verdict: 'inexact' } as const;
    for (const threads of [1, 2]) {
      const backend = createCpuBackendWith({ threads }, () => against);
      const features = threads === 1 ? ['simd128'] : ['simd128', 'threads'];
      expect(await backend.probe()).toMatchObject({ available: true, features });
      const variant = threads === 1 ? 'wasm-simd128' : 'wasm-simd128-threads';
      expect(await variantAndPrint(backend)).toEqual([variant, await rightPrint()]);
    }
  });

  it('where a module is given without the relaxed one', async () => {
    const module = await WebAssembly.compile(kernelBytes('unshared'));
    const backend = createCpuBackend({ threads: 1, module });
    expect(await variantAndPrint(backend)).toEqual(['wasm-simd128', await rightPrint()]);
  });
});

describe('the choice', () => {
  it('is made once, by probe or by compile', async () => {
    let asked = 0;
    const backend = createCpuBackendWith({ threads: 1 }, () => {
      asked += 1;
      return { relaxed: undefined, verdict: 'unsigned' };
    });
    const { features } = { features: [], ...(await backend.probe()) };
    await backend.probe();
    await variantAndPrint(backend);
    expect(asked).toBe(hasRelaxed ? 1 : 0);
    expect(features).toEqual(hasRelaxed ? ['simd128', 'relaxed-simd'] : ['simd128']);
  });
});

describe('a given relaxed module', () => {
  it('that is not ours is refused with a code, by probe as by compile', async () => {
    const [module, other] = await Promise.all([
      WebAssembly.compile(kernelBytes('unshared')),
      WebAssembly.compile(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0])),
    ]);
    const backend = createCpuBackend({ threads: 1, module, relaxedModule: other });
    await expect(backend.compile(program)).rejects.toMatchObject({
      code: 'E_INPUT',
      where: 'option module or relaxedModule',
    });
    expect(await backend.probe()).toMatchObject({ available: false, code: 'E_INPUT' });
  });
});

describe('a page that forbids WebAssembly to be compiled', () => {
  it('is told so by probe, and compile has the same code', async () => {
    vi.spyOn(WebAssembly, 'compile').mockImplementation(refused);
    const backend = createCpuBackend({ threads: 1 });
    const probe = await backend.probe();
    expect(probe).toMatchObject({ available: false, code: 'E_NO_COMPILE' });
    expect('reason' in probe && probe.reason).toContain('Refused to compile');
    await expect(backend.compile(program)).rejects.toMatchObject({ code: 'E_NO_COMPILE' });
  });

  it('still runs a module compiled ahead of time', async () => {
    const module = await WebAssembly.compile(kernelBytes('unshared'));
    vi.spyOn(WebAssembly, 'compile').mockImplementation(refused);
    const backend = createCpuBackend({ threads: 1, module });
    expect(await backend.probe()).toMatchObject({ available: true });
    expect(await variantAndPrint(backend)).toEqual(['wasm-simd128', await rightPrint()]);
  });
});
