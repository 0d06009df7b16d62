export { BYTES_PER_ELEMENT, type SafetensorsDType } from './dtypes.js';
export { assertFinite, toFloat32, toFloat64 } from './floats.js';
export { type IntegerArray, toIntegers } from './integers.js';
export { readSafetensors } from './read.js';
export type {
  ReadSafetensorsOptions,
  SafetensorsFile,
  SafetensorsLimits,
  TensorEntry,
  TensorSource,
} from './types.js';
export { writeSafetensors } from './write.js';
