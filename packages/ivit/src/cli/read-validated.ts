import { readProgram } from '@ivit/formats/program';
import { type ValidatedProgram, validate } from '@ivit/program';
import { checkIntegrity } from '@ivit/runtime';
import { explainWeights, type ModelBytes } from '../model-source.js';

/** The program in a model file. @throws E_INTEGRITY, E_NEEDS_QUANTIZING, E_SAFETENSORS_…, E_PROGRAM_… */
export function readValidated({ bytes, where, integrity }: ModelBytes): ValidatedProgram {
  if (integrity !== undefined) checkIntegrity(bytes, integrity, where);
  try {
    return validate(readProgram(bytes, { where }), { where });
  } catch (error) {
    throw explainWeights(error, where);
  }
}
