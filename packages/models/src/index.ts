export { type AttentionBuffers, softmaxRows } from './convert/attention.js';
export { matmulF32 } from './convert/gemm.js';
export { layerNorm } from './convert/layer-norm.js';
export { erf, exp, gelu, powerOfTwo } from './convert/math.js';
export { type ModelFolder, readVit } from './convert/reader/read-vit.js';
export {
  type BlockActivations,
  blockForward,
  createBlockActivations,
  embed,
  type HeadActivations,
  headForward,
  patchOffsets,
  pixelTable,
  tokenCount,
  vitForward,
} from './convert/vit-forward.js';
export type {
  FloatLinear,
  FloatNorm,
  FloatTensor,
  VitBlockWeights,
  VitConfig,
  VitPreprocess,
  VitWeights,
} from './vit/types.js';
