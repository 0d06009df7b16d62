export type { Pixels } from '../pixels.js';
export { centerCrop } from './crop.js';
export { type PreprocessOptions, preprocess } from './preprocess.js';
export { type Interpolation, resize, resizeShorterSide } from './resize.js';
