import { GELU_INPUT_STEP_BITS, GELU_RAMP, type RecipeHidden } from '@ivit/models';
import { erf, geluRampShift, geluRampTable } from '@ivit/nonlinear/convert';
import type { BlockContext } from './block-context.js';
import { powerOfTwo } from './numeric.js';

const INT16_MAX = 32767;
/** Head room above the calibrated maximum, as in front of linear layers. */
const MARGIN = 1.5;

/** In what steps fc1 comes out, and GELU on them. */
export interface HiddenSteps {
  /** Real value of one int16 unit of fc1. */
  readonly unit: number;
  /** Of `ramplookup`'s result. */
  readonly geluUnit: number;
  readonly ramp: number;
  readonly table: Int16Array;
  /** For the block; absent where the steps are the program's. */
  readonly hidden?: RecipeHidden;
}

/**
 * The finest steps 2^-F, F ≤ 7, at which 1.5 times the largest calibrated value of fc1 fits int16. Below zero nothing is
 * lost where values saturate: GELU is 0 there. Other functions than GELU itself have tables for F = 7 alone.
 *
 * @param floats fc1 of every photo.
 */
export function chooseHidden(
  { geluTable, nonlinear, settings }: BlockContext,
  floats: readonly Float32Array[],
): HiddenSteps {
  let largest = 0;
  for (const x of floats) for (const entry of x) if (entry > largest) largest = entry;
  let fractionBits = GELU_INPUT_STEP_BITS;
  if (settings.spread && (nonlinear.gelu ?? 'exact') === 'exact') {
    while (fractionBits > 1 && MARGIN * largest > INT16_MAX * powerOfTwo(-fractionBits)) fractionBits -= 1;
  }
  const unit = powerOfTwo(-fractionBits);
  if (fractionBits === GELU_INPUT_STEP_BITS) {
    return { unit, geluUnit: unit * powerOfTwo(-GELU_RAMP), ramp: GELU_RAMP, table: geluTable };
  }
  const ramp = geluRampShift(fractionBits);
  const table = geluRampTable(erf, fractionBits);
  return { unit, geluUnit: unit * powerOfTwo(-ramp), ramp, table, hidden: { fractionBits, ramp, table } };
}
