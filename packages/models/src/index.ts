export { type AttentionBuffers, softmaxRows } from './convert/attention.js';
export { matmulF32 } from './convert/gemm.js';
export { layerNorm } from './convert/layer-norm.js';
export { erf, exp, gelu, powerOfTwo } from './convert/math.js';
export { type PaperCheckpointOptions, readPaperCheckpoint } from './convert/paper/checkpoint.js';
export { buildCompiledPaperVit } from './convert/paper/from-compiled.js';
export { buildPaperVit, type PaperVitOptions } from './convert/paper/from-state-dict.js';
export {
  buildPaperVitFromScales,
  limitScales as limitPaperScales,
  requireClassReadout,
} from './convert/paper/from-weights.js';
export { activationScale, type PaperBlockScales, type PaperScales } from './convert/paper/scales.js';
export { buildCompiledPaperSwin } from './convert/paper/swin-from-compiled.js';
export { buildPaperSwin, type PaperSwinOptions } from './convert/paper/swin-from-state-dict.js';
export type { ModelFolder } from './convert/reader/model-folder.js';
export { type FloatModel, readModel } from './convert/reader/read-model.js';
export { readSwin } from './convert/reader/read-swin.js';
export { type ReadVitOptions, readVit } from './convert/reader/read-vit.js';
export { INDEX_FILE, shardNames } from './convert/reader/weight-files.js';
export {
  createSwinActivations,
  gatherRows,
  type SwinEmbedding,
  type SwinMerged,
  swinBlockForward,
  swinEmbed,
  swinForward,
  swinHead,
  swinMergingForward,
} from './convert/swin-forward.js';
export {
  type BlockActivations,
  blockForward,
  createBlockActivations,
  embed,
  type HeadActivations,
  type HeadWeights,
  headForward,
  patchOffsets,
  pixelTable,
  vitForward,
} from './convert/vit-forward.js';
export {
  type SwinBlockGeometry,
  type SwinConfig,
  type SwinStageGeometry,
  swinStages,
} from './swin/geometry.js';
export { type SwinBlockStep, type SwinMergingStep, swinBlockPrefix, swinSteps } from './swin/order.js';
export { addShiftMask, addWindowAttention } from './swin/recipe-attention.js';
export {
  addMergingNorm,
  addMove,
  addReduction,
  addSwinEmbedNorm,
  addSwinProjection,
  buildRecipeSwin,
  swinMergingPrefix,
} from './swin/recipe-program.js';
export type {
  SwinRecipe,
  SwinRecipeBlock,
  SwinRecipeEmbed,
  SwinRecipeMerging,
  SwinRecipeStage,
} from './swin/recipe-types.js';
export type {
  SwinBlockWeights,
  SwinMergingWeights,
  SwinModelConfig,
  SwinStageWeights,
  SwinWeights,
} from './swin/types.js';
export {
  inverseRows,
  mergeRows,
  relativePositionIndex,
  shiftMask,
  spreadBias,
  windowRows,
} from './swin/windows.js';
export {
  addAttention,
  addFc1,
  addFc2,
  addGelu,
  addGeluTable,
  addHiddenTable,
  addNorm,
  addProjection,
  addSoftmaxTable,
} from './vit/recipe-block.js';
export { addEmbed } from './vit/recipe-embed.js';
export { addHead, addHeadNorm } from './vit/recipe-head.js';
export { blockPrefix, EMBED, LOGITS, PIXELS } from './vit/recipe-names.js';
export { addEdge, addRowLinear, addScaling } from './vit/recipe-ops.js';
export { buildRecipeVit, type RecipeDetails } from './vit/recipe-program.js';
export {
  GELU_INPUT_STEP_BITS,
  GELU_RAMP,
  GELU_TABLE_LENGTH,
  LOW_BITS,
  type Ratio,
  type RecipeBlock,
  type RecipeEdge,
  type RecipeEmbed,
  type RecipeFactors,
  type RecipeHead,
  type RecipeHidden,
  type RecipeLinear,
  type RecipeLogits,
  type RecipeSplit,
  type RowScaling,
  type StaticScaling,
  type VitRecipe,
} from './vit/recipe-types.js';
export { addRowQuantize, type RowQuantized, wideName, wideShift } from './vit/row-quantize.js';
export { patchCount, prefixTokens, readoutOf, tokenCount } from './vit/tokens.js';
export type {
  FloatLinear,
  FloatNorm,
  FloatTensor,
  VitBlockWeights,
  VitConfig,
  VitPreprocess,
  VitReadout,
  VitWeights,
} from './vit/types.js';
