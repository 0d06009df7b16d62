import type { Backend } from '@ivit/backend';
import { BACKENDS, createBackend } from '../bench/backend.js';

/** All backends by the names that commands take; `webgpu-plain` is `webgpu` without `dot4I8Packed`. */
export const EVERY_BACKEND = [...BACKENDS, 'webgpu', 'webgpu-plain'] as const;
export type EveryBackend = (typeof EVERY_BACKEND)[number];

/** The backend of that name, loaded only when asked for. @throws Error where there is no WebGPU adapter */
export async function createEveryBackend(name: EveryBackend, threads: number): Promise<Backend> {
  if (name !== 'webgpu' && name !== 'webgpu-plain') return createBackend(name, threads);
  const [{ createWebgpuBackend }, { nodeGpu }] = await Promise.all([
    import('@ivit/backend-webgpu'),
    import('./node-gpu.js'),
  ]);
  const { gpu, device } = await nodeGpu();
  return createWebgpuBackend({ gpu, device, packed: name === 'webgpu' });
}
