import type { Backend } from '@ivit/backend';
import { writeProgram } from '@ivit/formats/program';
import { type FloatModel, type ModelFolder, readModel } from '@ivit/models';
import type { InputDescription, Program } from '@ivit/program';
import {
  type CalibrationCache,
  type NonlinearChoice,
  type Progress,
  type QuantizeResult,
  quantizeModel,
  type Recipe,
  type SizeBudget,
  type WeightBits,
} from '@ivit/quantize';
import { withSelfCheck } from '@ivit/runtime';
import { type PhotoShelf, prepareCalibration } from './calibration-photos.js';

/** What the self-check and `unknownBelow` add to the file. */
const LATER_BYTES = 256;

/** Photos used where nobody says how many. */
const DEFAULT_COUNT = 32;

/** What can be chosen, on the command line and for a worker alike. */
export interface QuantizeChoices {
  /** Default `accurate@1`; of a Swin `ptq@1`. */
  readonly recipe?: Recipe | undefined;
  readonly nonlinear?: NonlinearChoice | undefined;
  readonly weightBits?: WeightBits | undefined;
  /** Bytes that the file may take. */
  readonly sizeBudget?: number | undefined;
  /** How many of the photos are used, chosen by name. Default 32. */
  readonly count?: number | undefined;
  /** Draws the photos instead. */
  readonly seed?: number | undefined;
  /** Attention heads, where no file tells. */
  readonly heads?: number | undefined;
  readonly maxPixels?: number | undefined;
  /** Answers with a score below k/65536 are `unknown`. */
  readonly unknownBelow?: number | undefined;
}

export interface QuantizeJob extends QuantizeChoices {
  readonly folder: ModelFolder;
  readonly photos: PhotoShelf;
  /** Runs the quantized stream; any gives the same file. */
  readonly backend: Backend;
  readonly cache: CalibrationCache | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: Progress) => void;
}

/** The rule by which photos become the float model's pixels. */
function imageRule({ config, preprocess }: FloatModel['weights']): InputDescription {
  const { imageSize } = config;
  const { resize, interpolation } = preprocess;
  return { resize, interpolation, crop: { height: imageSize, width: imageSize } };
}

function budgetOf(bytes: number): SizeBudget {
  return { bytes, sizeOf: (program) => writeProgram(program).length + LATER_BYTES };
}

/**
 * A program of float weights and photos, with a self-check recorded by the reference backend.
 *
 * @throws the codes of `@ivit/models`, `@ivit/quantize` and `@ivit/image`; what reading a photo throws; E_ABORTED
 */
export async function quantizeFiles(job: QuantizeJob): Promise<QuantizeResult> {
  const { folder, backend, recipe, nonlinear, weightBits, sizeBudget, heads, unknownBelow, cache, signal } = job;
  job.onProgress({ stage: 'read weights', done: 0, total: 0 });
  const model = readModel(folder, heads === undefined ? {} : { heads });
  const photos = await prepareCalibration(job.photos, {
    image: imageRule(model.weights),
    count: job.count ?? DEFAULT_COUNT,
    seed: job.seed,
    maxPixels: job.maxPixels,
    signal,
    onPhoto: (done, total) => job.onProgress({ stage: 'calibration photos', done, total }),
  });
  const { program, report } = await quantizeModel({
    model,
    photos,
    backend,
    ...(recipe === undefined ? {} : { recipe }),
    ...(nonlinear === undefined ? {} : { nonlinear }),
    ...(weightBits === undefined ? {} : { weightBits }),
    ...(sizeBudget === undefined ? {} : { sizeBudget: budgetOf(sizeBudget) }),
    ...(signal === undefined ? {} : { signal }),
    onProgress: job.onProgress,
    ...(cache === undefined ? {} : { cache }),
  });
  job.onProgress({ stage: 'self-check', done: 0, total: 0 });
  const { createReferenceBackend } = await import('@ivit/backend-reference');
  const labeled: Program = unknownBelow === undefined ? program : { ...program, unknownBelow };
  const checked = await withSelfCheck(labeled, createReferenceBackend(), signal === undefined ? {} : { signal });
  return { program: checked, report };
}
