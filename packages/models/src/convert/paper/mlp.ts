import { shiftGeluX0 } from '@ivit/nonlinear/convert';
import type { PaperMlpParameters } from '../../paper/types.js';
import { readDyadics, readLinear } from './compiled-numbers.js';
import { accumulatorScale, ratios } from './multipliers.js';
import { integersOf, type PaperTensors } from './numbers.js';
import type { QuantizedBlock } from './quantized.js';
import type { PaperBlockScales } from './scales.js';

/** The MLP of block `name` in a compiled file. */
export function readMlp(source: PaperTensors, name: string, dim: number, mlpDim: number): PaperMlpParameters {
  return {
    fc1: readLinear(source, `${name}.mlp.fc1`, mlpDim, dim),
    mlpQactGelu: readDyadics(source, `${name}.mlp.rq_gelu`, mlpDim, 8),
    geluX0: integersOf(source, `${name}.mlp.x0`, 1, -127, -1)[0] as number,
    mlpQact1: readDyadics(source, `${name}.mlp.rq1`, 1, 8),
    fc2: readLinear(source, `${name}.mlp.fc2`, dim, mlpDim),
    mlpQact2: readDyadics(source, `${name}.mlp.rq2`, dim, 16),
  };
}

/**
 * The MLP of block `name`, its scales made multipliers.
 *
 * @throws IvitError `E_MODEL_SCALE`.
 */
export function compileMlp(
  name: string,
  { fc1, fc2 }: Pick<QuantizedBlock, 'fc1' | 'fc2'>,
  s: Pick<PaperBlockScales, 'qact3' | 'mlpQactGelu' | 'mlpQact1' | 'mlpQact2'>,
): PaperMlpParameters {
  return {
    fc1,
    mlpQactGelu: ratios(`${name}.mlp.qact_gelu`, accumulatorScale(fc1, s.qact3), s.mlpQactGelu),
    geluX0: shiftGeluX0(s.mlpQactGelu),
    // The sigmoid comes in units of 2^-7.
    mlpQact1: ratios(`${name}.mlp.qact1`, Math.fround(s.mlpQactGelu * 2 ** -7), s.mlpQact1),
    fc2,
    mlpQact2: ratios(`${name}.mlp.qact2`, accumulatorScale(fc2, s.mlpQact1), s.mlpQact2),
  };
}
