export {
  fqExpParameters,
  iExpParameters,
  iGeluParameters,
  iGeluRampTable,
  iGeluTable,
  shiftGeluRampTable,
} from './field.js';
export {
  type LayerNormIntegers,
  layerNormIntegers,
  MINIMUM_SCALE,
  maskInteger,
  quantizeF32,
  roundHalfEven,
  shiftGeluX0,
  softmaxX0,
  symmetricScale,
} from './float32.js';
export { erf, GELU_RAMP_SHIFT, GELU_TABLE_LENGTH, geluRampShift, geluRampTable } from './gelu-table.js';
