import { IvitError } from '@ivit/program';
import { checkPhotos, checkWeights } from './check.js';
import { checkRecipe } from './check-recipe.js';
import { quantizePaper } from './paper.js';
import { quantizeWeights } from './size-budget.js';
import type { QuantizeOptions, QuantizeResult } from './types.js';
import { vitModel } from './vit-model.js';
import { resolveWeightBits, weightBitsId } from './weight-bits.js';

/**
 * A float ViT and unlabeled photos to an integer program.
 *
 * Deterministic: the same weights and photos (in the same order) give the same program on every machine, engine and
 * backend, with or without a cache.
 *
 * @throws IvitError `E_CALIBRATION_EMPTY`, `E_INPUT_SIZE`, `E_WEIGHTS_SHAPE`, `E_WEIGHTS_VALUE`, `E_RECIPE`, `E_NONLINEAR_CHOICE`, `E_WEIGHT_BITS`, `E_SIZE_BUDGET`,
 *   `E_CALIBRATION_RANGE` (the float model overflows on the photos), `E_QUANTIZE_RANGE` (a scale that no integer
 *   multiplier can express), `E_ABORTED`; what the backend's `compile` and `run` throw.
 */
export async function quantizeVit({ weights, ...options }: QuantizeOptions): Promise<QuantizeResult> {
  const recipe = checkRecipe(options, 'accurate@1');
  checkPhotos(weights, options.photos);
  checkWeights(weights);
  const model = vitModel(weights);
  weightBitsId(recipe, model.layers, resolveWeightBits(model.layers, options.weightBits));
  if (recipe !== 'paper@1') return quantizeWeights(model, options, recipe);
  if (options.sizeBudget !== undefined) {
    throw new IvitError('E_SIZE_BUDGET', 'paper@1 has 8-bit weights and one size', {
      hint: 'Give a budget with accurate@1 or ptq@1.',
    });
  }
  return quantizePaper({ ...options, weights });
}
