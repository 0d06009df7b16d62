export type { NonlinearError } from './errors.js';
export { type LayerNormOut, layerNormRows, newtonDeviation } from './layer-norm.js';
export { POW2_FRACTION, POW2_FRACTION_BITS } from './pow2-table.js';
export { rampLookup } from './ramp-lookup.js';
export { rowQuantize, rowScale } from './row-scale.js';
export { shiftExp, shiftExpTable } from './shift-exp.js';
export { shiftGeluRows, shiftGeluTable } from './shift-gelu.js';
export { type SoftmaxExponential, softmaxRows } from './softmax.js';
