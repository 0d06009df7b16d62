import { type SwinBlockGeometry, type SwinStageGeometry, swinStages } from './geometry.js';
import type { SwinModelConfig } from './types.js';
import { inverseRows, mergeRows, windowRows } from './windows.js';

/**
 * Everything in a block but attention works on tokens one by one, so that a whole block runs in the order of its windows
 * and one gather brings the stream from the order of the block before.
 */
export interface SwinBlockStep {
  readonly kind: 'block';
  readonly stage: number;
  readonly block: number;
  readonly geometry: SwinBlockGeometry;
  /** `[side²]`: where in the stream before each token comes from; absent where the order stays. */
  readonly rows?: Int32Array;
}

export interface SwinMergingStep {
  readonly kind: 'merging';
  readonly stage: number;
  readonly geometry: SwinStageGeometry;
  /** `[side²]`, four tokens for each merged one. */
  readonly rows: Int32Array;
}

/** `rows` of a grid, taken from a stream that lies in `order` (entry = grid index; absent = the grid's own). */
function from(order: Int32Array | undefined, rows: Int32Array): Int32Array {
  if (order === undefined) return rows;
  const inverse = inverseRows(order);
  return rows.map((row) => inverse[row] as number);
}

/**
 * The steps of a Swin between embedding and final norm, with the moves that lead from each to the next. The merged grid
 * is in its own order.
 *
 * @throws IvitError `E_MODEL_SHAPE` where a size does not divide.
 */
export function swinSteps(config: SwinModelConfig): readonly (SwinBlockStep | SwinMergingStep)[] {
  const steps: (SwinBlockStep | SwinMergingStep)[] = [];
  for (const [stage, geometry] of swinStages(config).entries()) {
    let order: Int32Array | undefined;
    for (const [block, blockGeometry] of geometry.blocks.entries()) {
      const own = windowRows(blockGeometry.side, blockGeometry.window, blockGeometry.shift);
      const rows = from(order, own);
      const moves = rows.some((row, at) => row !== at);
      steps.push({ kind: 'block', stage, block, geometry: blockGeometry, ...(moves ? { rows } : {}) });
      order = own;
    }
    if (geometry.merges) {
      steps.push({ kind: 'merging', stage, geometry, rows: from(order, mergeRows(geometry.side)) });
    }
  }
  return steps;
}

/** Prefix of a block's values and constants. */
export function swinBlockPrefix({ stage, block }: Pick<SwinBlockStep, 'stage' | 'block'>): string {
  return `layers.${stage}.blocks.${block}`;
}
