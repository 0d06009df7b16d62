/** WebGPU in Node: Dawn of the npm package `webgpu`, on SwiftShader where the environment names no other driver. */
import type { WebgpuBackendOptions } from '@ivit/backend-webgpu';
import { create } from 'webgpu';
import './patient-polling.mjs';

/** As Debian's chromium brings it. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

type Given = Required<Pick<WebgpuBackendOptions, 'gpu' | 'device'>> & { readonly adapter: GPUAdapter };

let opened: Promise<Given> | undefined;

async function open(): Promise<Given> {
  process.env['VK_ICD_FILENAMES'] ??= SWIFTSHADER;
  const gpu = create([]);
  // Collected, Dawn's object would abort the process.
  Object.assign(globalThis, { ivitGpu: gpu });
  const adapter = await gpu.requestAdapter();
  if (adapter === null) {
    throw new Error('there is no WebGPU adapter: install libvulkan1 and a driver, and name it in VK_ICD_FILENAMES');
  }
  return { gpu, adapter, device: await adapter.requestDevice() };
}

/** One device for the whole process, so that pipelines are compiled once. @throws Error without an adapter */
export function nodeGpu(): Promise<Given> {
  opened ??= open();
  return opened;
}
