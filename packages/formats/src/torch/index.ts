export { ALLOWED_GLOBALS } from './globals.js';
export { readTorch } from './read.js';
export type { ReadTorchOptions, TorchFile, TorchLimits } from './types.js';
