import type {
  RecipeBlock,
  RecipeEdge,
  RecipeEmbed,
  RecipeFactors,
  RecipeHead,
  RecipeLinear,
  StaticScaling,
} from '../vit/recipe-types.js';
import type { SwinModelConfig } from './types.js';

/** Pixels to the residual stream, which starts with a norm. */
export interface SwinRecipeEmbed extends Pick<RecipeEmbed, 'weight' | 'bias' | 'bits' | 'scaling'> {
  /** The norm's output to the residual unit, β in z. */
  readonly norm: StaticScaling;
  /** Of its input; absent = the int16 projection itself. */
  readonly factors?: RecipeFactors;
}

export interface SwinRecipeBlock extends RecipeBlock {
  /** `[heads, N, N]`: position bias in the logits' unit. */
  readonly positionBias: Int16Array;
  /** What a masked pair's logit gets, negative, in the logits' unit; the sum saturates at int16. */
  readonly maskUnits: number;
}

/** Four tokens to one: the norm's edge and the reduction, to int16 at the next stage's residual unit. */
export interface SwinRecipeMerging {
  readonly norm: RecipeEdge;
  readonly reduction: RecipeLinear;
}

export interface SwinRecipeStage {
  readonly blocks: readonly SwinRecipeBlock[];
  readonly merging?: SwinRecipeMerging;
}

/** Every integer of a Swin under the recipes `ptq@1`, `accurate@1` and `accurate@2`. */
export interface SwinRecipe {
  readonly config: SwinModelConfig;
  readonly embed: SwinRecipeEmbed;
  readonly stages: readonly SwinRecipeStage[];
  /** As that of a ViT that averages its normalized rows. */
  readonly head: RecipeHead;
}
