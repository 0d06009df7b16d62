import type { FloatModel } from '@ivit/models';
import { IvitError } from '@ivit/program';
import { quantizeVit } from './quantize-vit.js';
import { quantizeSwin } from './swin/quantize-swin.js';
import type { QuantizeOptions, QuantizeResult } from './types.js';

export interface QuantizeModelOptions extends Omit<QuantizeOptions, 'weights'> {
  readonly model: FloatModel;
}

function refuse(code: string, what: string): never {
  throw new IvitError(code, `a Swin is quantized by ptq@1 itself, without ${what}`, {
    where: 'swin',
    hint: 'Leave the option out.',
  });
}

/**
 * A float model of any known architecture and unlabeled photos to an integer program: `quantizeVit` or `quantizeSwin`.
 *
 * @throws IvitError as those; `E_RECIPE`, `E_NONLINEAR_CHOICE`, `E_WEIGHT_BITS`, `E_SIZE_BUDGET` for options that a Swin
 *   does not have.
 */
export async function quantizeModel({ model, ...options }: QuantizeModelOptions): Promise<QuantizeResult> {
  if (model.architecture === 'vit') return quantizeVit({ ...options, weights: model.weights });
  if ((options.recipe ?? 'ptq@1') !== 'ptq@1') refuse('E_RECIPE', `recipe ${options.recipe}`);
  if (Object.values(options.nonlinear ?? {}).some((choice) => choice !== undefined)) {
    refuse('E_NONLINEAR_CHOICE', 'other nonlinear functions');
  }
  if (options.weightBits !== undefined) refuse('E_WEIGHT_BITS', 'other weights than of 8 bits');
  if (options.sizeBudget !== undefined) refuse('E_SIZE_BUDGET', 'a size budget');
  return quantizeSwin({ ...options, weights: model.weights });
}
