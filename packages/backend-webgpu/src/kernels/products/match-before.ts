/** Which ops in front of a `linear` make its rows within the same dispatch. */
import type {
  LayernormOp,
  LinearOp,
  Op,
  Operand,
  RequantizeOp,
  RowquantizeOp,
  RowscaleOp,
  ShiftgeluOp,
} from '@ivit/program';
import { type DType, elementCount } from '@ivit/tensor';
import type { PlanValues } from '../../plan/values.js';
import { joinedRows, type WideRows, wideBeside, wideReader } from './match-wide.js';
import { isNorm, type PrologueKind } from './prologue.wgsl.js';
import { type RowView, wordRows } from './rows-of-view.js';
import { isPlain, isShared, lastResult, type Scene, sameView, whole } from './scene.js';
import { parameterData } from './stages.js';

/** Bytes of workgroup memory for rows; the rest of 16 KiB is for row codes and sums. */
const TILE_BYTES = 14336;

/** Rows of a workgroup, or undefined where rows are too long for its memory. */
export function rowsOfGroup(kind: PrologueKind, depth: number): 4 | 8 | undefined {
  if (!isNorm(kind) || depth * 2 * 8 <= TILE_BYTES) return 8;
  return depth * 2 * 4 <= TILE_BYTES ? 4 : undefined;
}

/** How the rows of a product come about. */
export interface Rows {
  /** What is read: i8 rows (`codes`, `gelu`) or i16 rows. */
  readonly x: { readonly value: string; readonly rows: RowView };
  readonly prologue: PrologueKind;
  readonly rowscale?: RowscaleOp;
  readonly rowquantize?: RowquantizeOp;
  readonly layernorm?: LayernormOp;
  readonly shiftgelu?: ShiftgeluOp;
  /** Behind the layer norm or shiftgelu. */
  readonly scaling?: RequantizeOp;
  /** Rows in front of these that are taken as i16. */
  readonly wide?: WideRows;
  /** The ops of all this, the wide rows' apart. */
  readonly before: readonly Op[];
}

/** The plain requantize of whole rows that makes `value`; `readers` are all that may read it. */
function scalingOf(
  { values, uses }: Scene,
  value: string,
  depth: number,
  readers: readonly Op[],
): RequantizeOp | undefined {
  const op = uses.maker(value);
  if (op?.op !== 'requantize' || !uses.within(value, readers)) return undefined;
  if (!isPlain(op)) return undefined;
  const { shape } = values.viewOf(op.x);
  if (!isShared(values, op) && (op.run !== 1 || op.axis !== shape.length - 1 || shape[op.axis] !== depth)) {
    return undefined;
  }
  return op;
}

/** Rows of `depth` of a value of a type, `unit` elements to a word. */
function rowsBefore(
  values: PlanValues,
  source: Operand,
  type: DType,
  depth: number,
  unit: number,
): Rows['x'] | undefined {
  if (!('value' in source) || values.typeOf(source) !== type) return undefined;
  const view = values.viewOf(source);
  const rows = view.shape[view.shape.length - 1] === depth ? wordRows(view, depth, unit) : undefined;
  return rows === undefined ? undefined : { value: source.value, rows };
}

/** layernorm → requantize of whole rows, whose result is `value`. */
export function normBefore(scene: Scene, value: string, depth: number, readers: readonly Op[]): Rows | undefined {
  const { values, uses } = scene;
  const scaling = scalingOf(scene, value, depth, readers);
  if (scaling === undefined || !whole(values, scaling.x)) return undefined;
  const layernorm = uses.maker(scaling.x.value);
  if (layernorm?.op !== 'layernorm' || uses.onlyReader(layernorm.result) !== scaling) return undefined;
  const x = rowsBefore(values, layernorm.x, 'i16', depth, 2);
  const prologue = scaling.to === 'i8' ? 'norm' : 'norm-quantize';
  if (x === undefined || rowsOfGroup(prologue, depth) === undefined) return undefined;
  return { prologue, x, layernorm, scaling, before: [layernorm, scaling] };
}

/** shiftgelu → requantize to i8 of whole rows, whose result is `value`. */
export function geluBefore(scene: Scene, value: string, depth: number, reader: Op): Rows | undefined {
  const { values, uses } = scene;
  const scaling = scalingOf(scene, value, depth, [reader]);
  if (scaling?.to !== 'i8' || !whole(values, scaling.x)) return undefined;
  const shiftgelu = uses.maker(scaling.x.value);
  if (shiftgelu?.op !== 'shiftgelu' || uses.onlyReader(shiftgelu.result) !== scaling) return undefined;
  const x = rowsBefore(values, shiftgelu.x, 'i8', depth, 4);
  return x === undefined ? undefined : { prologue: 'gelu', x, shiftgelu, scaling, before: [shiftgelu, scaling] };
}

type Quantized = Rows & Required<Pick<Rows, 'rowscale' | 'rowquantize'>>;

/** rowscale and rowquantize of rows of a value, as they are. */
function scaledRows({ values, uses }: Scene, value: string, behind: readonly Op[]): Quantized | undefined {
  const rowquantize = uses.maker(value);
  if (rowquantize?.op !== 'rowquantize' || !uses.within(value, behind.slice(0, 1))) return undefined;
  const { x, row } = rowquantize;
  if (!whole(values, row)) return undefined;
  const rowscale = uses.maker(row.value);
  if (rowscale?.op !== 'rowscale' || !sameView(values, rowscale.x, x)) return undefined;
  if (!uses.within(row.value, [rowquantize, ...behind])) return undefined;
  const found = rowsBefore(values, x, 'i16', values.viewOf(x).shape.at(-1) ?? 1, 2);
  if (found === undefined) return undefined;
  const shared = [rowscale.cp, rowscale.cn].every((param) => parameterData(values, param).length === 1);
  const plain = shared && rowquantize.channels === undefined && rowquantize.slot === undefined;
  // Four codes to a word, made of four entries in two; slots take entries one by one, by 16 bits of a number.
  if (plain ? found.rows.columns % 4 !== 0 : found.rows.columns > 65536) return undefined;
  const prologue = plain ? 'quantize' : 'slots';
  return { prologue, x: found, rowscale, rowquantize, before: [rowscale, rowquantize] };
}

/** The rows with those beside them that are taken as i16. */
function withWide(scene: Scene, rows: Quantized, op: LinearOp, behind: readonly Op[], most: number): Quantized {
  const { x } = rows;
  const wide = wideBeside(scene, op, lastResult(behind), x.value, most);
  if (wide === undefined || wide.depth !== x.rows.columns) return rows;
  if (wide.apart) return { ...rows, wide };
  const joined = joinedRows(wide, x.rows);
  return joined === undefined ? rows : { ...rows, wide, x: { ...x, rows: joined } };
}

/** A norm in front of quantized rows, where it has no other reader. */
function withNorm(scene: Scene, rows: Quantized): Quantized {
  const { x, wide, before, rowscale, rowquantize } = rows;
  const { offset, rows: count, columns, rowStride } = x.rows;
  if (rows.prologue !== 'quantize' || wide?.apart === true || offset !== 0 || (count > 1 && rowStride !== columns))
    return rows;
  if (count * columns !== elementCount(scene.values.type(x.value).shape)) return rows;
  const readers = [...before, ...(wide === undefined ? [] : [wideReader(wide)])];
  const norm = normBefore(scene, x.value, columns, readers);
  if (norm?.prologue !== 'norm-quantize') return rows;
  return { ...rows, ...norm, rowscale, rowquantize, before: [...norm.before, ...before] };
}

/**
 * rowscale + rowquantize, and a norm before them.
 *
 * @param behind the linear layer and its stages
 * @param wideStages most stages of rows that are taken as i16; undefined: without such rows
 */
export function quantizeBefore(
  scene: Scene,
  op: LinearOp,
  behind: readonly Op[],
  wideStages?: number,
): Quantized | undefined {
  const rows = 'value' in op.x ? scaledRows(scene, op.x.value, behind) : undefined;
  if (rows === undefined) return undefined;
  return withNorm(scene, wideStages === undefined ? rows : withWide(scene, rows, op, behind, wideStages));
}
