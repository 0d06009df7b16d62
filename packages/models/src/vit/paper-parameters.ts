import type { Dyadic } from '@ivit/dyadic';
import type { Dyadics, PaperBlockParameters, PaperHeadParameters, PaperPatchParameters } from '../paper/types.js';

/** Everything the paper's ViT needs at run time: integers only. */
export interface PaperVitParameters extends PaperPatchParameters, PaperHeadParameters {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly dim: number;
  readonly heads: number;
  readonly mlpDim: number;
  readonly classes: number;
  readonly patchQact: Dyadics;
  /** `[D]`, not clamped to int16. */
  readonly classToken: Int32Array;
  /** `[1+T,D]` */
  readonly position: Int16Array;
  /** Sum of patches and position: the patches' factor, and the position's. */
  readonly patchPart: Dyadic;
  readonly positionPart: Dyadic;
  readonly blocks: readonly PaperBlockParameters[];
  readonly norm: Int32Array;
  readonly qact2: Dyadics;
}
