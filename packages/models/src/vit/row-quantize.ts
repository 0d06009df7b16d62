import type { Operand, Param, ProgramBuilder } from '@ivit/program';
import type { RecipeEdge, RecipeSplit } from './recipe-types.js';

/** Steps that one code covers, and that each slot of a channel adds to its reach. */
const CODE_STEPS = 255;

/** A row-quantized tensor: int8 codes `[…,width]` and one scale code per row. */
export interface RowQuantized {
  readonly codes: string;
  readonly row: string;
  /** Codes per row, slots included. */
  readonly width: number;
  /** The rows before these that are not quantized; absent = none. */
  readonly wide?: WideRows;
}

/** Rows that a linear layer takes as int16: a batch of one matrix `[1,rows,columns]`. */
export interface WideRows {
  readonly operand: Operand;
  readonly rows: number;
  readonly columns: number;
  /** One row, and results without an axis of rows. */
  readonly single?: true;
}

const INT32_MAX = 2147483647;

/** Bits that int16 rows of so many columns lose so that their sums with int8 weights fit int32: 0 up to 511 columns. */
export function wideShift(columns: number): number {
  let shift = 0;
  while (columns * 32768 * 128 > INT32_MAX * 2 ** shift) shift += 1;
  return shift;
}

/** Name of the value that holds a value's wide rows where they are made by themselves. */
export function wideName(name: string): string {
  return `${name}.wide`;
}

/** Rows as {@link WideRows}, halved as often as their sums need. */
function addWideRows(builder: ProgramBuilder, name: string, rows: number, columns: number): WideRows {
  const shift = wideShift(columns);
  const view = { offset: 0, shape: [1, rows, columns], strides: [rows * columns, columns, 1] };
  const x = { value: name, view };
  if (shift === 0) return { operand: x, rows, columns };
  const halved = builder.add({
    op: 'requantize',
    result: `${name}.wide`,
    x,
    m: 1,
    e: shift,
    z: 0,
    axis: 0,
    run: 0,
    to: 'i16',
  });
  return { operand: { value: halved }, rows, columns };
}

/** An i16 value `[C]` as a wide row. */
export function wideRow(builder: ProgramBuilder, name: string): WideRows {
  const [columns = 1] = builder.type(name).shape;
  return { ...addWideRows(builder, name, 1, columns), single: true };
}

/**
 * The rows of an i16 value that stay wide, and the view of the others.
 *
 * @param shape `[N,C]` as which the value is read.
 * @param apart whether the wide rows are a value by themselves, {@link wideName}.
 */
export function splitWideRows(
  builder: ProgramBuilder,
  name: string,
  shape: readonly [number, number],
  wideRows: number,
  apart: boolean,
): { readonly wide: WideRows; readonly others: Operand } {
  const [all, columns] = shape;
  const view = { offset: wideRows * columns, shape: [all - wideRows, columns], strides: [columns, 1] };
  const wide = addWideRows(builder, apart ? wideName(name) : name, wideRows, columns);
  return { wide, others: { value: name, view } };
}

/** `rowscale` and `rowquantize` of an i16 operand `[…,C]`. */
export function addRowQuantize(builder: ProgramBuilder, name: string, x: Operand, edge: RecipeEdge): RowQuantized {
  const { zeroPoint, split, fixed } = edge;
  const caps = split === undefined ? undefined : splitCaps(split, zeroPoint);
  const bound = (side: string, plain: number, each: Int32Array | undefined): Param =>
    each === undefined ? plain : { constant: builder.constant(`${name}.${side}`, 'i32', [each.length], each) };
  const row = builder.add({
    op: 'rowscale',
    result: `${name}.row`,
    x: fixed === undefined ? x : fixedRows(builder, name, x, fixed),
    cp: bound('cp', 127 - zeroPoint, caps?.up),
    cn: bound('cn', 128 + zeroPoint, caps?.down),
  });
  const codes = builder.add({
    op: 'rowquantize',
    result: `${name}.codes`,
    x,
    row: { value: row },
    z: zeroPoint,
    ...(split === undefined
      ? {}
      : {
          channels: builder.constant(`${name}.channels`, 'i32', [split.channels.length], split.channels),
          slot: builder.constant(`${name}.slot`, 'i8', [split.slot.length], split.slot),
        }),
  });
  return { codes, row, width: builder.type(codes).shape.at(-1) ?? 1 };
}

/** Rows that all hold one value: a scale per tensor is the row scale of a constant. */
function fixedRows(builder: ProgramBuilder, name: string, x: Operand, value: number): Operand {
  const shape = 'value' in x ? (x.view?.shape ?? builder.type(x.value).shape) : (x.view?.shape ?? []);
  const rows = shape.slice(0, -1);
  const constant = builder.constant(`${name}.fixed`, 'i16', [1], Int16Array.of(value));
  return { constant, view: { offset: 0, shape: [...rows, 1], strides: [...rows.map(() => 0), 1] } };
}

/** Row steps that each channel reaches above and below 0. */
function splitCaps({ channels, slot }: RecipeSplit, zeroPoint: number): { up: Int32Array; down: Int32Array } {
  const width = slot.reduce((count, k) => count + (k === 0 ? 1 : 0), 0);
  const up = new Int32Array(width).fill(127 - zeroPoint);
  const down = new Int32Array(width).fill(128 + zeroPoint);
  for (const [j, k] of slot.entries()) {
    if (k === 0) continue;
    const side = k > 0 ? up : down;
    const channel = channels[j] as number;
    side[channel] = (side[channel] as number) + CODE_STEPS;
  }
  return { up, down };
}
