import { IvitError } from '@ivit/program';
import { nonlinearId } from './nonlinear-choice.js';
import type { Recipe } from './recipe.js';
import { checkChanges, PTQ_RECIPES } from './settings.js';
import type { RecipeOptions } from './types.js';

/**
 * The recipe that is asked for.
 *
 * @throws IvitError `E_RECIPE`, `E_NONLINEAR_CHOICE` for names that do not exist, and what does not go together.
 */
export function checkRecipe({ recipe, changes, nonlinear }: RecipeOptions, byDefault: Recipe): Recipe {
  const wanted = recipe ?? byDefault;
  if (wanted !== 'paper@1' && !Object.hasOwn(PTQ_RECIPES, wanted)) {
    throw new IvitError('E_RECIPE', `there is no recipe '${String(wanted)}'`, {
      hint: 'ptq@1, accurate@1, accurate@2 and paper@1 exist.',
    });
  }
  checkChanges(wanted, changes);
  nonlinearId(wanted, nonlinear);
  return wanted;
}
