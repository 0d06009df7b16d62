export { chooseCalibration } from './calibration.js';
export { NONLINEAR_CHOICES, type NonlinearChoice, parseNonlinear } from './nonlinear-choice.js';
export { type QuantizeModelOptions, quantizeModel } from './quantize-model.js';
export { quantizeVit } from './quantize-vit.js';
export type { Recipe } from './recipe.js';
export type { RotationChoice } from './rotate-block.js';
export type { PtqSettings } from './settings.js';
export { type QuantizeSwinOptions, quantizeSwin } from './swin/quantize-swin.js';
export type {
  CalibrationCache,
  CalibrationPhoto,
  EdgeReport,
  Progress,
  QuantizationReport,
  QuantizeOptions,
  QuantizeResult,
  RecipeOptions,
  SizeBudget,
} from './types.js';
export type { WeightBits } from './weight-bits.js';
