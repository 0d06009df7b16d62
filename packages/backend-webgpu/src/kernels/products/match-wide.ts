/**
 * Rows that a linear layer takes as int16, in front of those that it takes as int8: a product of the same weights without their
 * slots, and a concatenation of both results. Somebody else may take the first columns of that product as int16 (`Aside`).
 */
import type { ConcatOp, LinearOp, MatmulOp, Op, Operand, RequantizeOp } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { type RowView, rowsOfView } from './rows-of-view.js';
import { isPlain, isShared, lastResult, rowOf, type Scene, stagesBehind, whole } from './scene.js';
import { type RequantizeStage, requantizeStage, type Stage } from './stages.js';

/** The first columns of wide rows' products, requantized to i16 for somebody else. */
export interface Aside {
  readonly columns: number;
  readonly stage: RequantizeStage;
}

export interface WideRows {
  /** How many there are. */
  readonly count: number;
  /** Their entries: columns of the weights, from the first on. */
  readonly depth: number;
  /** Where they lie in an i16 value. */
  readonly value: string;
  readonly rows: RowView;
  /** That value is another than the one of the rows behind them. */
  readonly apart: boolean;
  /** What is done to their entries before the product. */
  readonly scaling?: RequantizeOp;
  readonly matmul: MatmulOp;
  /** Behind the product. */
  readonly stages: readonly Stage[];
  readonly aside?: Aside;
  readonly concat: ConcatOp;
}

/** The op that reads the i16 rows. */
export const wideReader = ({ scaling, matmul }: WideRows): Op => scaling ?? matmul;

/** All ops of the rows, the concatenation apart. */
export function wideOps({ scaling, matmul, stages, aside }: WideRows): readonly Op[] {
  const own = [...stages, ...(aside === undefined ? [] : [aside.stage])].map((stage) => stage.op);
  return [...(scaling === undefined ? [] : [scaling]), matmul, ...own];
}

/** Stages of the record that they take. */
export const wideStageCount = ({ stages, aside }: WideRows): number => stages.length + (aside === undefined ? 0 : 1);

/** How many rows a product by the transposed weights has, its left rows whole words apart. */
function leftRows({ values }: Scene, op: MatmulOp, w: string): { readonly depth: number } | undefined {
  const [columns, depth] = values.constant(w).shape as readonly [number, number];
  if (op.log2 !== undefined || !('constant' in op.b) || op.b.constant !== w) return undefined;
  const { offset, shape, strides } = values.viewOf(op.b);
  const [inner = 0, width = 0] = shape.slice(-2);
  if (offset !== 0 || width !== columns || elementCount(shape) !== inner * columns || inner % 4 !== 0) return undefined;
  const [step, next] = strides.slice(-2);
  return step === 1 && (next === depth || columns === 1) ? { depth: inner } : undefined;
}

/** Rows of `depth` entries of an i16 value that begin on whole words. */
function i16Rows({ values }: Scene, operand: Operand, depth: number): Pick<WideRows, 'value' | 'rows'> | undefined {
  if (!('value' in operand) || values.typeOf(operand) !== 'i16') return undefined;
  const rows = rowsOfView(values.viewOf(operand), depth);
  if (rows === undefined || rows.columnStride !== 1 || (rows.offset | rows.rowStride) % 2 !== 0) return undefined;
  return { value: operand.value, rows };
}

/** Who takes the first columns of products as i16: nobody hands those out, and they are whole words of every row. */
function asideOf({ values, uses }: Scene, sums: string, columns: number): Aside | undefined {
  const count = elementCount(values.type(sums).shape) / columns; // float-ok: a multiple
  for (const op of uses.readers(sums)) {
    if (op.op !== 'requantize' || op.to !== 'i16' || !isPlain(op) || uses.isKept(op.result)) continue;
    const view = values.viewOf(op.x);
    const own = view.shape.at(-1) ?? 1;
    const rows = own < columns && own % 4 === 0 ? rowsOfView(view, own) : undefined;
    if (rows?.offset !== 0 || rows.columnStride !== 1 || rows.rows !== count) continue;
    const stage = count > 1 && rows.rowStride !== columns ? undefined : requantizeStage(values, op, own);
    if (stage !== undefined) return { columns: own, stage };
  }
  return undefined;
}

/** The product whose stages, which know of no row codes, end in `value`. */
function productOf(
  scene: Scene,
  value: string,
  columns: number,
  most: number,
): Pick<WideRows, 'matmul' | 'stages' | 'aside'> | undefined {
  const { uses } = scene;
  let op = uses.maker(value);
  for (let count = 0; count <= most && op !== undefined && op.op !== 'matmul'; count++) {
    op = 'x' in op && 'value' in op.x ? uses.maker(op.x.value) : undefined;
  }
  if (op?.op !== 'matmul') return undefined;
  const aside = asideOf(scene, op.result, columns);
  const free = aside === undefined ? most : most - 1;
  const stages = stagesBehind(scene, op.result, columns, free, aside?.stage.op);
  if (rowOf(stages) !== undefined || lastResult([op, ...stages.map((stage) => stage.op)]) !== value) return undefined;
  return { matmul: op, stages, ...(aside && { aside }) };
}

/**
 * The wide rows in front of a linear layer's.
 *
 * @param result of the layer and its stages
 * @param source the i16 value that the layer's rows are made of
 * @param most stages behind the product
 */
export function wideBeside(
  scene: Scene,
  linear: LinearOp,
  result: string,
  source: string,
  most: number,
): WideRows | undefined {
  const { values, uses } = scene;
  const concat = uses.onlyReader(result);
  if (concat?.op !== 'concat' || concat.operands.length !== 2) return undefined;
  const [first, second] = concat.operands as readonly [Operand, Operand];
  if (!whole(values, first) || !whole(values, second) || second.value !== result) return undefined;
  if (uses.onlyReader(first.value) !== concat) return undefined;
  const [columns] = values.constant(linear.w).shape as readonly [number, number];
  const product = productOf(scene, first.value, columns, most);
  const left = product && leftRows(scene, product.matmul, linear.w);
  const own = left && entriesOf(scene, product.matmul, left.depth, source);
  if (product === undefined || left === undefined || own === undefined) return undefined;
  const count = elementCount(values.type(product.matmul.result).shape) / columns; // float-ok: a multiple
  return { count, depth: left.depth, ...own, apart: own.value !== source, ...product, concat };
}

/** Where the left rows of a product come from, and how: from `source` as they are, or through one scale for all. */
function entriesOf(
  scene: Scene,
  { a }: MatmulOp,
  depth: number,
  source: string,
): Pick<WideRows, 'value' | 'rows' | 'scaling'> | undefined {
  const { values, uses } = scene;
  const direct = i16Rows(scene, a, depth);
  if (direct?.value === source || !whole(values, a)) return direct;
  const scaling = uses.maker(a.value);
  if (scaling?.op !== 'requantize' || scaling.to !== 'i16' || uses.onlyReader(a.value) === undefined) return direct;
  if (!isPlain(scaling) || !isShared(values, scaling)) return direct;
  const own = i16Rows(scene, scaling.x, depth);
  return own === undefined ? direct : { ...own, scaling };
}

/** Wide rows and the others behind them as rows of one value, where each begins so far from the one before. */
export function joinedRows(wide: WideRows, others: RowView): RowView | undefined {
  const { count, rows } = wide;
  const apart = others.offset - rows.offset;
  const rowStride = count > 1 ? rows.rowStride : others.rows > 1 ? others.rowStride : apart;
  if (apart !== count * rowStride || (others.rows > 1 && others.rowStride !== rowStride)) return undefined;
  return { ...others, offset: rows.offset, rows: count + others.rows, rowStride };
}
