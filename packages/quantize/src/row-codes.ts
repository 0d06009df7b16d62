import type { Outputs } from '@ivit/backend';
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

/** Adds one photo's rows, in int16 units, to the moments. */
export function addRows(moments: SecondMoments, x: RowCodes, zeroPoint: number, columns: Float64Array): void {
  const { rows, width } = x;
  for (let r = 0; r < rows; r += 1) {
    const unit = rowUnit(x.row[r] as number);
    for (let c = 0; c < width; c += 1) {
      columns[c * rows + r] = ((x.codes[r * width + c] as number) - zeroPoint) * unit;
    }
  }
  addColumns(moments, columns.subarray(0, rows * width), rows);
}

/** Real values of a row-quantized tensor, for the report. */
export function rowValues(x: RowCodes, choice: EdgeChoice): (i: number) => number {
  const { width } = x;
  const { step, migration, rest } = choice;
  const { zeroPoint } = choice.edge;
  const units = Float64Array.from({ length: x.rows }, (_, r) => rowUnit(x.row[r] as number) * step);
  return (i) => {
    const c = i % width;
    const value = ((x.codes[i] as number) - zeroPoint) * (units[(i - c) / width] as number);
    return (
      value * (migration === undefined ? 1 : (migration[c] as number)) + (rest === undefined ? 0 : (rest[c] as number))
    );
  };
}
