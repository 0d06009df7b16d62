export type { Pixels } from '../pixels.js';
export { centerCrop } from './crop.js';
export { type PreprocessOptions, preprocess } from './preprocess.js';
export { DEFAULT_PILLOW_VERSION, type Interpolation, type PillowVersion, resize, resizeShorterSide } from './resize.js';
