export { type AnswerRule, rankAnswers } from './answers.js';
export { createModel } from './create-model.js';
export { checkIntegrity, parseIntegrity } from './integrity.js';
export { type PreparePixelsOptions, preparePixels } from './pixels.js';
export { scores } from './score.js';
export { withSelfCheck } from './self-check.js';
export type {
  Answer,
  BytesSource,
  ClassifyOptions,
  CreateModelOptions,
  ImageInput,
  Model,
  ModelInfo,
  ModelPhase,
  PreparedImage,
  PrepareOptions,
  RawImage,
  Receipt,
  RunInputsOptions,
  RunResult,
  SkippedBackend,
} from './types.js';
export { RUNTIME_VERSION } from './version.js';
