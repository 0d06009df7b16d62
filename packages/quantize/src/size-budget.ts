import { IvitError } from '@ivit/program';
import { type PtqModel, quantizePtq } from './ptq.js';
import { BUDGET_BITS, chooseBits } from './sensitivity.js';
import type { PtqRecipe } from './settings.js';
import type { QuantizeResult, RecipeOptions, SizeBudget } from './types.js';
import { resolveWeightBits } from './weight-bits.js';

/** Bytes a layer's entry in the file's JSON may grow by. */
const ENTRY_BYTES = 64;
/** Passes with more and more saved, should a prediction fall short. */
const ATTEMPTS = 3;

/** A recipe with the bits that are given, or those that a size budget leaves. */
export async function quantizeWeights(
  model: PtqModel,
  options: RecipeOptions,
  recipe: PtqRecipe,
): Promise<QuantizeResult> {
  const { sizeBudget } = options;
  const weightBits = resolveWeightBits(model.layers, options.weightBits);
  if (sizeBudget === undefined) {
    const { program, report } = await quantizePtq(model, options, {
      recipe,
      weightBits,
      measured: false,
      run: 0,
      runs: 1,
    });
    return { program, report };
  }
  if (weightBits.size > 0) {
    throw new IvitError('E_WEIGHT_BITS', 'bits and a size budget are given at once', { hint: 'Give one of the two.' });
  }
  checkBudget(sizeBudget.bytes);
  return quantizeToBudget(model, options, recipe, sizeBudget);
}

function checkBudget(bytes: number): void {
  if (Number.isSafeInteger(bytes) && bytes > 0) return;
  throw new IvitError('E_SIZE_BUDGET', `${bytes} is no number of bytes`, { hint: 'Give whole bytes, at least 1.' });
}

async function quantizeToBudget(
  model: PtqModel,
  options: RecipeOptions,
  recipe: PtqRecipe,
  { bytes, sizeOf }: SizeBudget,
): Promise<QuantizeResult> {
  const plain = await quantizePtq(model, options, { recipe, weightBits: new Map(), measured: true, run: 0, runs: 2 });
  const size = sizeOf(plain.program);
  if (size <= bytes) return { program: plain.program, report: plain.report };
  const layers = plain.sensitivities;
  let saving = size - bytes + ENTRY_BYTES * layers.length;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const weightBits = chooseBits(layers, saving);
    if (weightBits === undefined) break;
    const { program, report } = await quantizePtq(model, options, {
      recipe,
      weightBits,
      measured: false,
      run: 1,
      runs: 2,
    });
    const reached = sizeOf(program);
    if (reached <= bytes) return { program, report };
    saving += reached - bytes;
  }
  const fewest = BUDGET_BITS.at(-1) ?? 8;
  const saved = layers.reduce(
    (sum, { rows, columns }) => sum + rows * (columns - Math.ceil((columns * fewest) / 8)),
    0,
  );
  throw new IvitError('E_SIZE_BUDGET', `${bytes} bytes are too few: the program has ${size} with 8-bit weights`, {
    hint: `With ${fewest} bits in every block about ${size - saved} remain.`,
  });
}
