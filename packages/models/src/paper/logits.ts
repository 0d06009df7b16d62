import { type Dyadic, INT32_MAX, normalizeDyadic, requantizeOne } from '@ivit/dyadic';
import { IvitError, type Program, type ProgramBuilder } from '@ivit/program';
import { parameter } from './steps.js';
import type { PaperProgramDetails } from './types.js';

/** Finest unit of the logits: 2^-16. */
const MAX_OUTPUT_SHIFT = 16;

/** Multipliers to the unit 2^-t, or undefined where some class could leave int32. */
function logitFactors(units: readonly Dyadic[], t: number, limits: readonly number[]): readonly Dyadic[] | undefined {
  const factors: Dyadic[] = [];
  for (const [index, unit] of units.entries()) {
    if (unit.m !== 0 && unit.e - t < 0) return undefined;
    const factor = normalizeDyadic(unit.m, unit.e - t);
    const largest = requantizeOne(limits[index] as number, factor.m, factor.e);
    if (largest > INT32_MAX || largest < -INT32_MAX) return undefined;
    factors.push(factor);
  }
  return factors;
}

/**
 * Brings all classes of `head` to one unit 2^-t, the finest (t ≤ 16) at which no reachable logit leaves int32: `logits`.
 *
 * @param headUnits Real value of one unit of each class's accumulator.
 * @returns t
 * @throws IvitError `E_MODEL_SCALE`
 */
function writeLogits(builder: ProgramBuilder, headUnits: readonly Dyadic[]): number {
  const known = builder.channels('head');
  const whole = builder.interval('head');
  const limits = headUnits.map((_, index) => {
    const lo = known === undefined ? whole.lo : (known.lo[index] as number);
    const hi = known === undefined ? whole.hi : (known.hi[index] as number);
    return Math.max(-lo, hi);
  });
  for (let t = MAX_OUTPUT_SHIFT; t >= 0; t -= 1) {
    const factors = logitFactors(headUnits, t, limits);
    if (factors === undefined) continue;
    const m = Int32Array.from(factors, (factor) => factor.m);
    const e = Uint8Array.from(factors, (factor) => factor.e);
    builder.add({
      op: 'requantize',
      result: 'logits',
      x: { value: 'head' },
      m: parameter(builder, 'logits.m', 'i32', m),
      e: parameter(builder, 'logits.e', 'u8', e),
      z: 0,
      axis: 0,
      run: 1,
      to: 'i32',
    });
    return t;
  }
  throw new IvitError('E_MODEL_SCALE', 'the logits may pass 2^31', {
    where: 'head',
    hint: 'The scales of the head are far outside those of a trained classifier.',
  });
}

/**
 * Closes a program of the paper, whose classifier's accumulators are `head`.
 *
 * @throws IvitError `E_MODEL_SCALE`
 */
export function finishPaperProgram(
  builder: ProgramBuilder,
  architecture: 'vit' | 'swin',
  imageSize: number,
  headUnits: readonly Dyadic[],
  { preprocess, labels }: PaperProgramDetails,
): Program {
  const outputShift = writeLogits(builder, headUnits);
  const { resize, interpolation } = preprocess;
  return builder.build({
    output: 'logits',
    outputShift,
    image: { resize, interpolation, crop: { height: imageSize, width: imageSize } },
    ...(labels === undefined ? {} : { labels }),
    provenance: { architecture },
  });
}
