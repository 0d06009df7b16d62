export { type CpuBackendOptions, createCpuBackend } from './backend.js';
export type { Declined } from './select.js';
export { kernelBytes, type MemoryKind, relaxedKernelBytes } from './wasm-module.js';
export type { WebWorker, WebWorkerEvent } from './worker-handle.js';
