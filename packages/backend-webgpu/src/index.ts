export { createWebgpuBackend, type WebgpuBackendOptions } from './backend.js';
export type { WebgpuDevice, WebgpuEntry } from './unsafe.js';
