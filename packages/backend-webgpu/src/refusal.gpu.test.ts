/** What the backend refuses, by code, and that the next executable works. */
import type { Executable } from '@ivit/backend';
import { createReferenceBackend } from '@ivit/backend-reference';
import type { ValidatedProgram } from '@ivit/program';
import { createModel, withSelfCheck } from '@ivit/runtime';
import { describe, expect, it } from 'vitest';
import { createWebgpuBackendWith, type PlanHook } from './backend.js';
import { createWebgpuBackend } from './index.js';
import { openDevice, testDevice, testGpu } from './testing/device.js';
import { bytes, layeredModel } from './testing/programs.js';

const program = layeredModel(3);
const pixels = bytes(48, 1);

async function logits(executable: Executable, batch = 1): Promise<number[]> {
  const many = Uint8Array.from({ length: 48 * batch }, (_, i) => pixels[i % 48] as number);
  const { data } = (await executable.run(many, { batch }))[program.output] ?? { data: [] };
  return Array.from(data);
}

const expected = await createReferenceBackend()
  .compile(program)
  .then((executable) => logits(executable));

async function works(compile: () => Promise<Executable>): Promise<void> {
  const executable = await compile();
  expect(await logits(executable)).toEqual(expected);
  await executable.dispose();
}

/** Changes the text of one dispatch; fails where there is nothing to change. */
function replacing(from: string, to: string): PlanHook {
  return (plan) => {
    const index = plan.dispatches.findIndex(({ code }) => code.includes(from));
    if (index < 0) throw new Error(`no shader holds ${from}`);
    const dispatches = plan.dispatches.map((dispatch, i) =>
      i === index ? { ...dispatch, code: dispatch.code.replaceAll(from, to) } : dispatch,
    );
    return { ...plan, dispatches };
  };
}

describe('probe', () => {
  it('names the adapter and what it has', async () => {
    const probe = await createWebgpuBackend({ gpu: testGpu() }).probe();
    expect(probe).toMatchObject({ available: true, threads: 1, device: expect.stringMatching(/./) });
    const plain = await createWebgpuBackend({ gpu: testGpu(), packed: false }).probe();
    expect(plain.available && plain.features).not.toContain('dot4I8Packed');
  });

  it('says why there is no device, and compile throws the same', async () => {
    const none = createWebgpuBackend({ gpu: { requestAdapter: async () => null } });
    expect(await none.probe()).toMatchObject({ available: false, code: 'E_NO_ADAPTER' });
    await expect(none.compile(program)).rejects.toMatchObject({ code: 'E_NO_ADAPTER' });
    const refusing = { requestDevice: () => Promise.reject(new Error('taken')) };
    const taken = createWebgpuBackend({ gpu: { requestAdapter: async () => refusing } });
    expect(await taken.probe()).toMatchObject({ available: false, code: 'E_NO_DEVICE' });
    const broken = createWebgpuBackend({ gpu: { requestAdapter: () => Promise.reject(new Error('no driver')) } });
    expect(await broken.probe()).toMatchObject({ available: false, reason: expect.stringContaining('no driver') });
  });

  it('asks again where there was no adapter before', async () => {
    let asked = 0;
    const gpu = { requestAdapter: async () => (++asked === 1 ? null : testGpu().requestAdapter()) };
    const backend = createWebgpuBackend({ gpu });
    expect(await backend.probe()).toMatchObject({ available: false });
    expect(await backend.probe()).toMatchObject({ available: true });
    await works(() => backend.compile(program));
  });
});

describe('a device given by the caller', () => {
  it('is not destroyed, by nothing', async () => {
    const device = await openDevice();
    let lost = false;
    device.lost.then(() => {
      lost = true;
    });
    const backend = createWebgpuBackend({ device, gpu: testGpu() });
    await works(() => backend.compile(program));
    await works(() => createWebgpuBackend({ device }).compile(program));
    await device.queue.onSubmittedWorkDone();
    expect(lost).toBe(false);
    device.destroy();
  });

  it('that is lost is E_DEVICE_LOST at once, in a run, and at compile', async () => {
    const device = await openDevice();
    const backend = createWebgpuBackend({ device, gpu: testGpu() });
    const executable = await backend.compile(program);
    const running = logits(executable);
    device.destroy();
    // The run may have been over.
    await running.then(
      (got) => expect(got).toEqual(expected),
      (error) => expect(error).toMatchObject({ code: 'E_DEVICE_LOST' }),
    );
    await expect(logits(executable)).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
    await expect(backend.compile(program)).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
    expect(await backend.probe()).toMatchObject({ available: false, code: 'E_DEVICE_LOST' });
    await executable.dispose();
  });

  it('that is lost during compile is E_DEVICE_LOST', async () => {
    const device = await openDevice();
    const compiling = createWebgpuBackend({ device, gpu: testGpu() }).compile(program);
    compiling.catch(() => undefined);
    await Promise.resolve();
    device.destroy();
    await expect(compiling).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
  });
});

describe('a device of the backend', () => {
  it('that is lost is replaced for the next executable', async () => {
    const devices: GPUDevice[] = [];
    const gpu = {
      requestAdapter: async () => {
        const adapter = await testGpu().requestAdapter();
        const requestDevice = async (): Promise<GPUDevice | undefined> => {
          const device = await adapter?.requestDevice();
          if (device !== undefined) devices.push(device);
          return device;
        };
        return { info: adapter?.info, requestDevice };
      },
    };
    const backend = createWebgpuBackend({ gpu });
    const first = await backend.compile(program);
    expect(await logits(first)).toEqual(expected);
    devices[0]?.destroy();
    await expect(logits(first)).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
    await works(() => backend.compile(program));
    expect(devices).toHaveLength(2);
    devices[1]?.destroy();
  });
});

describe('what the device refuses', () => {
  it('a shader that is no WGSL is E_DEVICE_ERROR, and the next executable works', async () => {
    const device = await testDevice();
    const hook = replacing('@compute', 'nonsense @compute');
    const broken = createWebgpuBackendWith({ device, gpu: testGpu() }, hook);
    const failure = await broken.compile(program).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'E_DEVICE_ERROR', message: expect.stringContaining('refuses a shader') });
    await works(() => createWebgpuBackend({ device, gpu: testGpu() }).compile(program));
  });

  it('memory is E_MEMORY, and the next executable works', async () => {
    const device = await openDevice();
    const { popErrorScope, pushErrorScope } = device;
    const scopes: GPUErrorFilter[] = [];
    device.pushErrorScope = (filter) => {
      scopes.push(filter);
      return pushErrorScope.call(device, filter);
    };
    device.popErrorScope = async () => {
      const memory = scopes.pop() === 'out-of-memory';
      const own = await popErrorScope.call(device);
      return memory ? new GPUOutOfMemoryError('the driver has none') : own;
    };
    const backend = createWebgpuBackend({ device, gpu: testGpu() });
    const failure = await backend.compile(program).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'E_MEMORY', message: expect.stringContaining('the driver has none') });
    device.popErrorScope = popErrorScope;
    device.pushErrorScope = pushErrorScope;
    await works(() => backend.compile(program));
    device.destroy();
  });

  it('a command is E_DEVICE_ERROR in a run, and the next run works', async () => {
    const device = await openDevice();
    const executable = await createWebgpuBackend({ device, gpu: testGpu() }).compile(program);
    const { createCommandEncoder } = device;
    device.createCommandEncoder = () => {
      const encoder = createCommandEncoder.call(device);
      encoder.insertDebugMarker('about to fail');
      encoder.popDebugGroup();
      return encoder;
    };
    await expect(logits(executable)).rejects.toMatchObject({ code: 'E_DEVICE_ERROR' });
    device.createCommandEncoder = createCommandEncoder;
    expect(await logits(executable)).toEqual(expected);
    device.destroy();
  });
});

describe('a shader that computes wrongly', () => {
  it('is caught by the self-check, and the runtime takes the next backend and says why', async () => {
    const device = await testDevice();
    const reference = createReferenceBackend();
    const checked = await withSelfCheck(program, reference);
    // The lowest bit of each word of the first element kernel.
    const hook = replacing('packed |= place(', 'packed |= 1u ^ place(');
    const broken = createWebgpuBackendWith({ device, gpu: testGpu() }, hook);
    const model = await createModel({ program: checked, backends: [broken, reference] });
    expect(model.info).toMatchObject({
      backend: { name: 'reference' },
      selfCheck: 'passed',
      skipped: [{ backend: 'webgpu', code: 'E_SELF_CHECK', reason: expect.stringContaining('sha256') }],
    });
    await model.dispose();
    const right = await createModel({ program: checked, backends: [createWebgpuBackend({ device, gpu: testGpu() })] });
    expect(right.info).toMatchObject({ backend: { name: 'webgpu' }, selfCheck: 'passed', skipped: [] });
    await right.dispose();
  });
});

describe('abort and limits', () => {
  it('an aborted run rejects at once, and the next one has the right bits', async () => {
    const executable = await createWebgpuBackend({ device: await testDevice(), gpu: testGpu() }).compile(program);
    const controller = new AbortController();
    const running = executable.run(pixels, { batch: 1, signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'E_ABORTED' });
    expect(await logits(executable)).toEqual(expected);
    await executable.dispose();
  });

  it('batches beyond what the arena holds run in parts', async () => {
    const device = await testDevice();
    const halved: PlanHook = (plan) => ({ ...plan, capacity: 2 });
    const executable = await createWebgpuBackendWith({ device, gpu: testGpu() }, halved).compile(program, {
      maxBatch: 5,
    });
    expect(await logits(executable, 5)).toEqual(Array.from({ length: 5 }, () => expected).flat());
    await executable.dispose();
  });

  it('memoryLimit below what a program needs is E_MEMORY, at it not', async () => {
    const backend = createWebgpuBackend({ device: await testDevice(), gpu: testGpu() });
    const { info, dispose } = await backend.compile(program).then((executable) => ({
      info: executable.info,
      dispose: () => executable.dispose(),
    }));
    await dispose();
    for (const memoryLimit of [0, info.bytes - 1]) {
      await expect(backend.compile(program, { memoryLimit })).rejects.toMatchObject({ code: 'E_MEMORY' });
    }
    await works(() => backend.compile(program, { memoryLimit: info.bytes }));
  });

  it('an aborted compile rejects, and the next one works', async () => {
    const backend = createWebgpuBackend({ gpu: testGpu() });
    const controller = new AbortController();
    const compiling = (model: ValidatedProgram) => backend.compile(model, { signal: controller.signal });
    const first = compiling(program);
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'E_ABORTED' });
    await works(() => backend.compile(program));
  });
});
