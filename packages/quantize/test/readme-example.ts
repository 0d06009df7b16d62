import { createReferenceBackend } from '@ivit/backend-reference';
import type { VitWeights } from '@ivit/models';
import { modelId, type Program } from '@ivit/program';
import { type CalibrationPhoto, quantizeVit } from '@ivit/quantize';

/** Float weights (`readVit` of @ivit/models) and photos of the model's size to an integer program. */
export async function toIntegers(weights: VitWeights, photos: readonly CalibrationPhoto[]): Promise<Program> {
  const backend = createReferenceBackend();
  const { program, report } = await quantizeVit({ weights, photos, backend });
  for (const { name, scale, sqnr } of report.edges) console.log(name, scale, sqnr);
  console.log(modelId(program));
  return program;
}
