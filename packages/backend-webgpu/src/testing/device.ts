import { create, globals } from 'webgpu';

/** The object must live as long as the process: collected, it aborts it. */
declare global {
  var ivitTestGpu: GPU | undefined;
  var ivitTestDevice: Promise<GPUDevice> | undefined;
}

/** Dawn's entry, made once. VK_ICD_FILENAMES must be in the environment before. */
export function testGpu(): GPU {
  Object.assign(globalThis, globals);
  globalThis.ivitTestGpu ??= create([]);
  return globalThis.ivitTestGpu;
}

/** One device for all tests of a process, with default limits. @throws Error without an adapter: a failure, never a skip */
export function testDevice(): Promise<GPUDevice> {
  globalThis.ivitTestDevice ??= openDevice();
  return globalThis.ivitTestDevice;
}

/** A device of its own, for tests that lose it. */
export async function openDevice(): Promise<GPUDevice> {
  const adapter = await testGpu().requestAdapter();
  if (adapter === null) throw new Error('there is no WebGPU adapter; VK_ICD_FILENAMES names the driver');
  return adapter.requestDevice();
}
