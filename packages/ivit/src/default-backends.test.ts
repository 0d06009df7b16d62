import { createReferenceBackend } from '@ivit/backend-reference';
import { describe, expect, it } from 'vitest';
import { tinyModel } from '../test/tiny-model.js';
import { defaultBackends, loadModel } from './index.js';

describe('defaultBackends', () => {
  it('prefers cpu, and stands for the reference backend until that is loaded', async () => {
    const [cpu, reference, ...others] = await defaultBackends();
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

  it('gives the cpu backend the threads that are asked for', async () => {
    const [cpu] = await defaultBackends({ threads: 1 });
    expect(await cpu?.probe()).toMatchObject({ available: true, threads: 1 });
  });
});
