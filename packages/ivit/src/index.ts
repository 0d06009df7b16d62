export { IvitError } from '@ivit/program';
export {
  type Answer,
  type ClassifyOptions,
  type ImageInput,
  type ModelInfo,
  type PreparedImage,
  type Receipt,
  type RunInputsOptions,
  type RunResult,
  rankAnswers,
} from '@ivit/runtime';
export { defaultBackends } from './default-backends.js';
export { loadModel } from './load-model.js';
export type { LoadProgress, OnProgress } from './progress.js';
export type { HubOptions, LoadedModel, LoadModelOptions, ModelSource, Photo } from './types.js';
