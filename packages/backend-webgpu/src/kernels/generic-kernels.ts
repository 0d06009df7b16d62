/** The kernels of single ops by name, for checks of their text. Fused ones are in products/ and attention/. */
import { linearCode, matmulCode } from './generic/products.wgsl.js';
import { lookupCode, rampCode } from './lookup/lookup.wgsl.js';
import { meanCode } from './movement/mean.wgsl.js';
import { concatCode, gatherCode } from './movement/movement.wgsl.js';
import { layernormCode } from './nonlinear/layernorm.wgsl.js';
import { shiftgeluCode } from './nonlinear/shiftgelu.wgsl.js';
import { softmaxCode } from './nonlinear/softmax.wgsl.js';
import { requantizeCode } from './scaling/requantize.wgsl.js';
import { rowquantizeCode, rowscaleCode } from './scaling/row-scale.wgsl.js';

export const GENERIC_KERNELS: Readonly<Record<string, string>> = {
  concat: concatCode,
  gather: gatherCode,
  layernorm: layernormCode,
  linear: linearCode,
  lookup: lookupCode,
  matmul: matmulCode,
  mean: meanCode,
  ramplookup: rampCode,
  requantize: requantizeCode,
  rowquantize: rowquantizeCode,
  rowscale: rowscaleCode,
  shiftgelu: shiftgeluCode,
  softmax: softmaxCode,
};
