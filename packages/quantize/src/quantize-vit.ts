import { IvitError } from '@ivit/program';
import { checkPhotos, checkWeights } from './check.js';
import { nonlinearId } from './nonlinear-choice.js';
import { quantizePaper } from './paper.js';
import { checkChanges, PTQ_RECIPES } from './settings.js';
import { quantizeWeights } from './size-budget.js';
import type { QuantizeOptions, QuantizeResult } from './types.js';
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
export async function quantizeVit(options: QuantizeOptions): Promise<QuantizeResult> {
  const recipe = options.recipe ?? 'accurate@1';
  if (recipe !== 'paper@1' && !Object.hasOwn(PTQ_RECIPES, recipe)) {
    throw new IvitError('E_RECIPE', `there is no recipe '${String(recipe)}'`, {
      hint: 'ptq@1, accurate@1, accurate@2 and paper@1 exist.',
    });
  }
  checkChanges(recipe, options.changes);
  nonlinearId(recipe, options.nonlinear);
  checkPhotos(options.weights, options.photos);
  checkWeights(options.weights);
  const bits = resolveWeightBits(options.weights.config, options.weightBits);
  weightBitsId(recipe, options.weights.config, bits);
  if (recipe !== 'paper@1') return quantizeWeights(options, recipe);
  if (options.sizeBudget !== undefined) {
    throw new IvitError('E_SIZE_BUDGET', 'paper@1 has 8-bit weights and one size', {
      hint: 'Give a budget with accurate@1 or ptq@1.',
    });
  }
  return quantizePaper(options);
}
