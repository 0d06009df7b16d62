import type { SwinWeights } from '@ivit/models';
import { IvitError } from '@ivit/program';
import { checkPixels, checkPreprocess, checkTensors } from '../check.js';
import { checkRecipe } from '../check-recipe.js';
import { quantizeWeights } from '../size-budget.js';
import type { QuantizeResult, RecipeOptions } from '../types.js';
import { resolveWeightBits, weightBitsId } from '../weight-bits.js';
import { swinTensors } from './check.js';
import { swinModel } from './swin-model.js';

export interface QuantizeSwinOptions extends RecipeOptions {
  readonly weights: SwinWeights;
}

/**
 * A float Swin and unlabeled photos to an integer program, by recipe `ptq@1` where nothing else is asked for: linear inputs at a
 * scale per token row, GPTQ weights, logits with their position bias in int16, masks as in the paper, GELU by table, every
 * layer's mean output corrected.
 *
 * Deterministic: the same weights and photos (in the same order) give the same program on every machine, engine and
 * backend, with or without a cache. Holds the float activations of one stage for all photos: about 20 MB a photo for Swin-T.
 *
 * @throws IvitError `E_CALIBRATION_EMPTY`, `E_INPUT_SIZE`, `E_WEIGHTS_SHAPE`, `E_WEIGHTS_VALUE`, `E_MODEL_SHAPE`, `E_RECIPE` (also
 *   `paper@1`), `E_NONLINEAR_CHOICE` (also `softmax=log2`), `E_WEIGHT_BITS`, `E_SIZE_BUDGET`, `E_CALIBRATION_RANGE`, `E_QUANTIZE_RANGE`,
 *   `E_ABORTED`; what the backend's `compile` and `run` throw.
 */
export async function quantizeSwin({ weights, ...options }: QuantizeSwinOptions): Promise<QuantizeResult> {
  const recipe = checkRecipe(options, 'ptq@1');
  if (recipe === 'paper@1') {
    throw new IvitError('E_RECIPE', 'paper@1 does not make programs of a float Swin', {
      where: 'swin',
      hint: "Take ptq@1 or accurate@1; the paper's own program comes of a checkpoint of its training, by ivit import.",
    });
  }
  if (options.nonlinear?.softmax === 'log2') {
    throw new IvitError(
      'E_NONLINEAR_CHOICE',
      "a Swin's masked pairs need probability 0, which softmax=log2 cannot say",
      {
        where: 'swin',
        hint: 'Its least code stands for 2^-15. Take softmax=pow2, i-vit or i-bert.',
      },
    );
  }
  checkPixels(weights.config.imageSize, options.photos);
  checkTensors(swinTensors(weights));
  checkPreprocess(weights.preprocess);
  const model = swinModel(weights);
  weightBitsId(recipe, model.layers, resolveWeightBits(model.layers, options.weightBits));
  return quantizeWeights(model, options, recipe);
}
