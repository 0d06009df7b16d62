/**
 * Rows that a linear layer takes as int16, in front of those that it takes as int8: a product of the same weights without their
 * slots, and a concatenation of both results.
 */
import type { ConcatOp, LinearOp, MatmulOp, Op, Operand, RequantizeOp } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { type RowView, rowsOfView } from './rows-of-view.js';
import { isPlain, isShared, lastResult, rowOf, type Scene, stagesBehind, whole } from './scene.js';
import type { Stage } from './stages.js';

export interface WideRows {
  /** How many there are. */
  readonly count: number;
  /** Their entries: columns of the weights, from the first on. */
  readonly depth: number;
  /** Where they lie in an i16 value. */
  readonly value: string;
  readonly rows: RowView;
  /** What is done to their entries before the product. */
  readonly scaling?: RequantizeOp;
  readonly matmul: MatmulOp;
  /** Behind the product. */
  readonly stages: readonly Stage[];
  readonly concat: ConcatOp;
}

/** The op that reads the i16 rows. */
export const wideReader = ({ scaling, matmul }: WideRows): Op => scaling ?? matmul;

/** All ops of the rows, the concatenation apart. */
export function wideOps({ scaling, matmul, stages }: WideRows): readonly Op[] {
  return [...(scaling === undefined ? [] : [scaling]), matmul, ...stages.map((stage) => stage.op)];
}

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

/** The product whose stages, which know of no row codes, end in `value`. */
function productOf(
  scene: Scene,
  value: string,
  columns: number,
  most: number,
): [MatmulOp, readonly Stage[]] | undefined {
  const { uses } = scene;
  let op = uses.maker(value);
  for (let count = 0; count <= most && op !== undefined && op.op !== 'matmul'; count++) {
    op = 'x' in op && 'value' in op.x ? uses.maker(op.x.value) : undefined;
  }
  if (op?.op !== 'matmul') return undefined;
  const stages = stagesBehind(scene, op.result, columns, most);
  if (rowOf(stages) !== undefined) return undefined;
  return lastResult([op, ...stages.map((stage) => stage.op)]) === value ? [op, stages] : undefined;
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
  const [matmul, stages] = productOf(scene, first.value, columns, most) ?? [];
  const left = matmul && leftRows(scene, matmul, linear.w);
  if (matmul === undefined || stages === undefined || left === undefined) return undefined;
  const { depth } = left;
  const count = elementCount(values.type(matmul.result).shape) / columns; // float-ok: a multiple
  const common = { count, depth, matmul, stages, concat };
  if ('value' in matmul.a && matmul.a.value === source) {
    const own = i16Rows(scene, matmul.a, depth);
    return own && { ...common, ...own };
  }
  if (!whole(values, matmul.a) || uses.onlyReader(matmul.a.value) !== matmul) return undefined;
  const scaling = uses.maker(matmul.a.value);
  if (scaling?.op !== 'requantize' || scaling.to !== 'i16') return undefined;
  if (!isPlain(scaling) || !isShared(values, scaling)) return undefined;
  const own = i16Rows(scene, scaling.x, depth);
  return own?.value === source ? { ...common, ...own, scaling } : undefined;
}

/** Wide rows and the others behind them as rows of one value, where each begins so far from the one before. */
export function joinedRows(wide: WideRows, others: RowView): RowView | undefined {
  const { count, rows } = wide;
  const apart = others.offset - rows.offset;
  const rowStride = count > 1 ? rows.rowStride : others.rows > 1 ? others.rowStride : apart;
  if (apart !== count * rowStride || (others.rows > 1 && others.rowStride !== rowStride)) return undefined;
  return { ...others, offset: rows.offset, rows: count + others.rows, rowStride };
}
