import type { FloatModel } from '@ivit/models';
import { quantizeVit } from './quantize-vit.js';
import { quantizeSwin } from './swin/quantize-swin.js';
import type { QuantizeResult, RecipeOptions } from './types.js';

export interface QuantizeModelOptions extends RecipeOptions {
  readonly model: FloatModel;
}

/**
 * A float model of any known architecture and unlabeled photos to an integer program: `quantizeVit` or `quantizeSwin`.
 *
 * @throws IvitError as those.
 */
export async function quantizeModel({ model, ...options }: QuantizeModelOptions): Promise<QuantizeResult> {
  if (model.architecture === 'vit') return quantizeVit({ ...options, weights: model.weights });
  return quantizeSwin({ ...options, weights: model.weights });
}
