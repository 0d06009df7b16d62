import type { Backend } from '@ivit/backend';
import type { VitWeights } from '@ivit/models';
import type { Program } from '@ivit/program';
import type { NonlinearChoice } from './nonlinear-choice.js';
import type { Recipe } from './recipe.js';
import type { PtqSettings } from './settings.js';
import type { WeightBits } from './weight-bits.js';

/** A calibration photo after resize and crop. */
export interface CalibrationPhoto {
  readonly name: string;
  /** sha256 (hex) of the photo's file bytes; recorded in the program. */
  readonly sha256: string;
  /** u8 H×W×3, H = W = the model's image size. */
  readonly pixels: Uint8Array;
}

/** Where finished blocks are kept between runs. Bytes come back as they were put, or not at all. */
export interface CalibrationCache {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, bytes: Uint8Array): Promise<void>;
}

export interface Progress {
  /** What is going on, e.g. `block 3/12`. */
  readonly stage: string;
  /** Units of work done and in all; a unit is one pass of one photo. */
  readonly done: number;
  readonly total: number;
}

/** What a program's file may take. */
export interface SizeBudget {
  readonly bytes: number;
  /** Bytes of a program's file, as the caller writes it. */
  sizeOf(program: Program): number;
}

/** What a float model of any architecture is quantized with. */
export interface RecipeOptions {
  readonly photos: readonly CalibrationPhoto[];
  /** Runs the quantized stream; any backend gives the same program. Not used by `paper@1`. */
  readonly backend: Backend;
  /** Default `accurate@1`; of a Swin `ptq@1`. */
  readonly recipe?: Recipe;
  /** Other functions than the recipe's own, recorded in the program's recipe id. Not with `paper@1`. */
  readonly nonlinear?: NonlinearChoice;
  /** Bits of weights, 8 where nothing is said. Not with `paper@1`. */
  readonly weightBits?: WeightBits;
  /**
   * Lets layers have 7 to 4 bits, where they cost least, until the file fits: the recipe runs twice. Not together with
   * `weightBits`.
   */
  readonly sizeBudget?: SizeBudget;
  /** Parts of the recipe done otherwise, to see what each brings; recorded in the program. Not for `paper@1`. */
  readonly changes?: Partial<PtqSettings>;
  onProgress?(progress: Progress): void;
  readonly signal?: AbortSignal;
  /** `paper@1` stores nothing. */
  readonly cache?: CalibrationCache;
}

export interface QuantizeOptions extends RecipeOptions {
  readonly weights: VitWeights;
}

/** One place where values are quantized. */
export interface EdgeReport {
  /** Name of the value in the program. */
  readonly name: string;
  /** Range of the float value over the calibration photos. */
  readonly min: number;
  readonly max: number;
  /** Real value of one integer step; the largest of the channels where channels differ. */
  readonly scale: number;
  /** How the scale varies: one for all, one per channel, or the tensor's times one per token at run time. */
  readonly granularity: 'tensor' | 'channel' | 'row';
  /** Split slots spent on the edge (0 in `ptq@1` and `paper@1`). */
  readonly slots: number;
  /** Signal to quantization noise over the calibration photos, dB; absent when either is zero. */
  readonly sqnr?: number;
}

export interface QuantizationReport {
  readonly recipe: Recipe;
  /** As the program records it: the recipe with what was chosen besides, e.g. `ptq@1+softmax=i-bert`. */
  readonly recipeId: string;
  readonly photos: number;
  readonly edges: readonly EdgeReport[];
}

export interface QuantizeResult {
  readonly program: Program;
  readonly report: QuantizationReport;
}
