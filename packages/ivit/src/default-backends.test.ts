import { createReferenceBackend } from '@ivit/backend-reference';
import { createWebgpuBackend } from '@ivit/backend-webgpu';
import { describe, expect, it } from 'vitest';
import { tinyModel } from '../test/tiny-model.js';
import { defaultBackends, loadModel } from './index.js';

describe('defaultBackends', () => {
  it('prefers cpu, and stands for the reference backend until that is loaded', async () => {
    const [cpu, , reference, ...others] = await defaultBackends();
    expect(cpu?.name).toBe('cpu');
    expect(others).toEqual([]);
    const real = createReferenceBackend();
    const { name, version, ops, specificationVersion } = real;
    expect(reference).toMatchObject({ name, version, ops, specificationVersion });
    expect(await reference?.probe()).toEqual(await real.probe());
    const { bytes } = await tinyModel();
    const model = await loadModel(bytes, { backends: reference === undefined ? [] : [reference] });
    expect(model.info.backend).toMatchObject({ name: 'reference', device: 'JavaScript', threads: 1 });
    expect(model.info.selfCheck).toBe('passed');
    await model.dispose();
  });

  it('stands for the WebGPU backend, and says why it does not run where it does not', async () => {
    const [, webgpu] = await defaultBackends();
    const { name, version, ops, specificationVersion } = createWebgpuBackend();
    expect(webgpu).toMatchObject({ name, version, ops, specificationVersion });
    const probe = await webgpu?.probe();
    if (probe?.available !== false) expect(probe?.device).toMatch(/./);
    else expect(probe.code).toMatch(/^E_NO_(WEBGPU|ADAPTER|DEVICE)$/);
  });

  it('can be asked for by name', async () => {
    const { bytes } = await tinyModel();
    const model = await loadModel(bytes, { backend: 'reference' });
    expect(model.info.backend.name).toBe('reference');
    await model.dispose();
    await expect(loadModel(bytes, { backend: 'gpu' })).rejects.toMatchObject({ code: 'E_INPUT' });
    const both = { backend: 'cpu', backends: await defaultBackends() };
    await expect(loadModel(bytes, both)).rejects.toMatchObject({ code: 'E_INPUT' });
  });

  it('gives the cpu backend the threads that are asked for', async () => {
    const [cpu] = await defaultBackends({ threads: 1 });
    expect(await cpu?.probe()).toMatchObject({ available: true, threads: 1 });
  });
});
