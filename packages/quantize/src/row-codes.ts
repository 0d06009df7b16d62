import type { Outputs } from '@ivit/backend';
import type { RecipeEdge } from '@ivit/models';
import type { EdgeChoice } from './edge.js';
import { addColumns, type SecondMoments } from './hessian.js';
import { powerOfTwo } from './numeric.js';
import { outputOf } from './stage.js';

/** A row-quantized tensor as a backend returned it. */
export interface RowCodes {
  /** `[rows,width]` */
  readonly codes: ArrayLike<number>;
  /** `[rows]` */
  readonly row: ArrayLike<number>;
  readonly rows: number;
  readonly width: number;
}

export function rowCodesOf(outputs: Outputs, name: string, rows: number): RowCodes {
  const codes = outputOf(outputs, `${name}.codes`).data;
  return { codes, row: outputOf(outputs, `${name}.row`).data, rows, width: codes.length / rows };
}

/** f·2^(E-4): int16 units of one row step. */
function rowUnit(code: number): number {
  return (16 + (code & 15)) * powerOfTwo((code >> 4) - 4);
}

/** The code that stands for 0, per code: z for a base code; a slot above starts at -128, one below at 127. */
export function codeZeros({ zeroPoint, split }: RecipeEdge, width: number): Int32Array {
  if (split === undefined) return new Int32Array(width).fill(zeroPoint);
  return Int32Array.from(split.slot, (k) => (k === 0 ? zeroPoint : k > 0 ? -128 : 127));
}

/** Steps of every channel `[rows,C]`, the base code and its slots together. */
export function channelSteps(x: RowCodes, edge: RecipeEdge, width: number): Int32Array {
  const zeros = codeZeros(edge, width);
  const channels = edge.split?.channels;
  const steps = new Int32Array(x.rows * width);
  for (let r = 0; r < x.rows; r += 1) {
    for (let j = 0; j < x.width; j += 1) {
      const at = r * width + (channels === undefined ? j : (channels[j] as number));
      steps[at] = (steps[at] as number) + (x.codes[r * x.width + j] as number) - (zeros[j] as number);
    }
  }
  return steps;
}

/**
 * Adds one photo's rows, in int16 units, to the moments.
 *
 * @param steps `[rows,C]` of {@link channelSteps}.
 * @param columns space for `[C,rows]`.
 */
export function addRows(moments: SecondMoments, x: RowCodes, steps: Int32Array, columns: Float64Array): void {
  const { rows } = x;
  const { size } = moments;
  for (let r = 0; r < rows; r += 1) {
    const unit = rowUnit(x.row[r] as number);
    for (let c = 0; c < size; c += 1) columns[c * rows + r] = (steps[r * size + c] as number) * unit;
  }
  addColumns(moments, columns.subarray(0, rows * size), rows);
}

/** Real values of a row-quantized tensor, by channel, for the report. */
export function rowValues(x: RowCodes, steps: Int32Array, choice: EdgeChoice): (i: number) => number {
  const { step, migration, rest } = choice;
  const width = steps.length / x.rows;
  const units = Float64Array.from({ length: x.rows }, (_, r) => rowUnit(x.row[r] as number) * step);
  return (i) => {
    const c = i % width;
    const value = (steps[i] as number) * (units[(i - c) / width] as number);
    return (
      value * (migration === undefined ? 1 : (migration[c] as number)) + (rest === undefined ? 0 : (rest[c] as number))
    );
  };
}
