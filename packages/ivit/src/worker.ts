export { IvitError } from '@ivit/program';
export { type RunResult, rankAnswers } from '@ivit/runtime';
export { loadModel } from './worker/load-model.js';
export type { DrawnPhoto } from './worker/messages.js';
export { quantize } from './worker/quantize.js';
export type {
  NamedFile,
  PlatformWorker,
  QuantizedFile,
  QuantizeFilesOptions,
  WorkerLoadOptions,
  WorkerModel,
  WorkerPhoto,
} from './worker/types.js';
