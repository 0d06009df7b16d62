import type { Outputs } from '@ivit/backend';
import { type RecipeEdge, wideName, wideShift } from '@ivit/models';
import type { EdgeChoice } from './edge.js';
import { powerOfTwo, roundHalfEven } from './numeric.js';
import { outputOf } from './stage.js';

/** A row-quantized tensor as a backend returned it. */
export interface RowCodes {
  /** `[rows,width]` */
  readonly codes: ArrayLike<number>;
  /** `[rows]` */
  readonly row: ArrayLike<number>;
  readonly rows: number;
  readonly width: number;
  /** int16 values `[wideRows,C]` of the rows before these, which are not quantized. */
  readonly wide: ArrayLike<number>;
}

/**
 * What {@link rowOutputs} asked for.
 *
 * @param rows of the tensor, wide ones included.
 * @param apart whether wide rows are a value by themselves, which was asked for as well.
 */
export function rowCodesOf(
  outputs: Outputs,
  name: string,
  rows: number,
  { wideRows = 0 }: RecipeEdge,
  apart = false,
): RowCodes {
  const narrow = rows - wideRows;
  const empty = new Int8Array();
  const codes = narrow > 0 ? outputOf(outputs, `${name}.codes`).data : empty;
  const row = narrow > 0 ? outputOf(outputs, `${name}.row`).data : empty;
  const whole = wideRows > 0 ? outputOf(outputs, name).data : empty;
  const width = narrow > 0 ? codes.length / narrow : 0;
  const wide =
    apart && wideRows > 0
      ? outputOf(outputs, wideName(name)).data
      : whole.subarray(0, (whole.length / rows) * wideRows);
  return { codes, row, rows: narrow, width, wide };
}

/** Values of a row-quantized tensor of so many rows that statistics need, its int16 value among them where `value` says. */
export function rowOutputs(name: string, rows: number, { wideRows = 0 }: RecipeEdge, value = false): readonly string[] {
  return [...(value || wideRows > 0 ? [name] : []), ...(rows > wideRows ? [`${name}.row`, `${name}.codes`] : [])];
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

/** A row-quantized tensor by channel, wide rows first: value = steps·unit of its row, in int16 units. */
export interface RowSteps {
  /** `[rows,C]` */
  readonly steps: Int32Array;
  /** `[rows]` */
  readonly units: Float64Array;
}

/** Steps of every channel `[rows,C]`, the base code and its slots together. */
export function rowSteps(x: RowCodes, edge: RecipeEdge, width: number): RowSteps {
  const zeros = codeZeros(edge, width);
  const channels = edge.split?.channels;
  const { wide } = x;
  const first = wide.length / width;
  const halving = powerOfTwo(wideShift(width));
  const units = new Float64Array(first + x.rows).fill(halving, 0, first);
  const steps = new Int32Array((first + x.rows) * width);
  for (let i = 0; i < wide.length; i += 1) steps[i] = roundHalfEven((wide[i] as number) / halving);
  for (let r = 0; r < x.rows; r += 1) {
    units[first + r] = rowUnit(x.row[r] as number);
    for (let j = 0; j < x.width; j += 1) {
      const at = (first + r) * width + (channels === undefined ? j : (channels[j] as number));
      steps[at] = (steps[at] as number) + (x.codes[r * x.width + j] as number) - (zeros[j] as number);
    }
  }
  return { steps, units };
}

/**
 * Rows `from … to-1` by column, in int16 units.
 *
 * @param columns `[C,rows]`, overwritten.
 */
export function columnsOf({ steps, units }: RowSteps, from: number, to: number, columns: Float64Array): Float64Array {
  const size = steps.length / units.length;
  const rows = to - from;
  for (let r = 0; r < rows; r += 1) {
    const unit = units[from + r] as number;
    for (let c = 0; c < size; c += 1) columns[c * rows + r] = (steps[(from + r) * size + c] as number) * unit;
  }
  return columns.subarray(0, rows * size);
}

/** Real values of a row-quantized tensor, by channel, for the report. */
export function rowValues({ steps, units: rowUnits }: RowSteps, choice: EdgeChoice): (i: number) => number {
  const { step, migration, rest } = choice;
  const width = steps.length / rowUnits.length;
  const units = rowUnits.map((unit) => unit * step);
  return (i) => {
    const c = i % width;
    const value = (steps[i] as number) * (units[(i - c) / width] as number);
    return (
      value * (migration === undefined ? 1 : (migration[c] as number)) + (rest === undefined ? 0 : (rest[c] as number))
    );
  };
}
