export { chooseCalibration } from './calibration.js';
export { quantizeVit } from './quantize-vit.js';
export type {
  CalibrationCache,
  CalibrationPhoto,
  EdgeReport,
  Progress,
  QuantizationReport,
  QuantizeOptions,
  QuantizeResult,
  Recipe,
} from './types.js';
