import { IvitError } from '@ivit/program';

/** Sizes of a Swin Transformer (Liu et al., ICCV 2021, §3). */
export interface SwinConfig {
  /** Input side in pixels (square). */
  readonly imageSize: number;
  readonly patchSize: number;
  /** Channels of the first stage; each merging doubles them. */
  readonly dim: number;
  /** Blocks per stage. */
  readonly depths: readonly number[];
  /** Attention heads per stage. */
  readonly heads: readonly number[];
  /** Side of an attention window, in tokens. */
  readonly windowSize: number;
}

/** One block of a stage, as its index decides it. */
export interface SwinBlockGeometry {
  /** Tokens per side of the stage's grid. */
  readonly side: number;
  /** Channels C of the stage. */
  readonly dim: number;
  readonly heads: number;
  /** Side of a window, in tokens: the whole grid where that is no larger than `windowSize`. */
  readonly window: number;
  /** Tokens the grid is rolled by, up and left, before it is cut into windows; 0 in even blocks and in whole-grid windows. */
  readonly shift: number;
}

/** Geometry of one stage. */
export interface SwinStageGeometry {
  readonly side: number;
  readonly dim: number;
  readonly blocks: readonly SwinBlockGeometry[];
  /** Whether patch merging follows: every stage but the last. */
  readonly merges: boolean;
}

function refuse(what: string, where: string): never {
  throw new IvitError('E_MODEL_SHAPE', what, {
    where,
    hint: 'Correct the geometry; this is no Swin that can be computed.',
  });
}

/** Tokens per side of the first grid, and of a window: far beyond published models, and index tables stay small. */
const LARGEST_SIDE = 1024;
const LARGEST_WINDOW = 64;

function divide(value: number, divisor: number, what: string): number {
  if (divisor >= 1 && value >= divisor && value % divisor === 0) return value / divisor;
  return refuse(`${value} is no multiple of ${divisor}`, what);
}

/**
 * The stages of a Swin with their blocks. Stage l has side·2^-l tokens a side and dim·2^l channels; odd blocks shift by
 * half a window (rounded down); where the grid is no larger than a window, the window is the grid and nothing shifts.
 *
 * @throws IvitError `E_MODEL_SHAPE` where a size does not divide.
 */
export function swinStages(config: SwinConfig): readonly SwinStageGeometry[] {
  const { depths, heads } = config;
  if (depths.length === 0 || depths.length !== heads.length) {
    refuse(`${depths.length} depths and ${heads.length} numbers of heads`, 'stages');
  }
  let side = divide(config.imageSize, config.patchSize, 'image and patch size');
  if (side > LARGEST_SIDE)
    refuse(`${side} tokens a side; at most ${LARGEST_SIDE} are supported`, 'image and patch size');
  if (config.windowSize > LARGEST_WINDOW) {
    refuse(`windows of ${config.windowSize} tokens a side; at most ${LARGEST_WINDOW} are supported`, 'window');
  }
  let dim = config.dim;
  return depths.map((depth, index) => {
    const place = `layers.${index}`;
    const stageHeads = heads[index] as number;
    divide(dim, stageHeads, `${place}: channels and heads`);
    const whole = side <= config.windowSize;
    const window = whole ? side : config.windowSize;
    divide(side, window, `${place}: grid and window`);
    const shifted = whole ? 0 : Math.floor(window / 2);
    const stage: SwinStageGeometry = {
      side,
      dim,
      blocks: Array.from({ length: depth }, (_, block) => ({
        side,
        dim,
        heads: stageHeads,
        window,
        shift: block % 2 === 0 ? 0 : shifted,
      })),
      merges: index < depths.length - 1,
    };
    if (stage.merges) {
      side = divide(side, 2, `${place}: grid and merging`);
      dim *= 2;
    }
    return stage;
  });
}
