import { readFileSync } from 'node:fs';
import { createReferenceBackend } from '@ivit/backend-reference';
import { readProgram } from '@ivit/formats/program';
import { decodeImage, preprocess } from '@ivit/image';
import { readVit, vitForward } from '@ivit/models';
import { IvitError, type Program, validate } from '@ivit/program';
import { openFloatCache } from './float-cache.js';
import { readModelFolder } from './model-folder.js';
import type { Photo } from './photos.js';

/** Both models, ready to look at photos one after the other. */
export interface Evaluator {
  readonly program: Program;
  evaluate(photo: Photo): Promise<{ float: Float32Array; integer: Float64Array }>;
}

/** @throws IvitError E_ACCURACY when the file and the folder have different classes or sizes */
export async function createEvaluator(file: string, floatFolder: string): Promise<Evaluator> {
  const program = validate(readProgram(readFileSync(file), { where: file }), { where: file });
  const weights = readVit(readModelFolder(floatFolder));
  const { imageSize, classes } = weights.config;
  const [outputs] = program.values[program.output]?.shape ?? [];
  if (outputs !== classes) {
    throw new IvitError('E_ACCURACY', `The file has ${outputs} classes, the float model ${classes}`, { where: file });
  }
  const { image } = program;
  if (image === undefined) {
    throw new IvitError('E_ACCURACY', 'The file does not say how photos become pixels', { where: file });
  }
  const floatImage = { ...weights.preprocess, crop: { height: imageSize, width: imageSize } };
  const sameRule =
    image.resize === floatImage.resize &&
    image.interpolation === floatImage.interpolation &&
    image.crop.height === imageSize &&
    image.crop.width === imageSize;
  const executable = await createReferenceBackend().compile(program);
  const cache = openFloatCache(weights);
  // Logits at the float model's scale: the unit does not change ranks, but the SQNR compares numbers.
  const unit = 2 ** -program.outputShift;
  return {
    program,
    evaluate: async (photo) => {
      const pixels = await decodeImage(readFileSync(photo.path), { where: photo.path });
      const seen = preprocess(pixels, image);
      const output = (await executable.run(seen, { batch: 1 }))[program.output];
      if (output === undefined) throw new IvitError('E_ACCURACY', 'The backend returned no logits', { where: file });
      let float = cache.get(photo.sha256);
      if (float === undefined) {
        float = vitForward(weights, sameRule ? seen : preprocess(pixels, floatImage));
        cache.put(photo.sha256, float);
      }
      return { float, integer: Float64Array.from(output.data, (logit) => logit * unit) };
    },
  };
}
