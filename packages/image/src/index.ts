export { decodeImage, type ImageFormat, imageFormat } from './decode-image.js';
export { ImageError, type ImageErrorDetails } from './error.js';
export { DEFAULT_MAX_PIXELS, type DecodeImageOptions, type DecodeOptions, type Pixels } from './pixels.js';
export { centerCrop } from './resample/crop.js';
export { type PreprocessOptions, preprocess } from './resample/preprocess.js';
export {
  DEFAULT_PILLOW_VERSION,
  type Interpolation,
  type PillowVersion,
  resize,
  resizeShorterSide,
} from './resample/resize.js';
