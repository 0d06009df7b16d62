/** Stages of `linear` and `matmul`. */
import type { LinearOp, MatmulOp } from '@ivit/program';
import { copyView, type DType, planView, type View } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { packedBytes, padded, relaxedBytes } from './constants.js';
import { gainsByStrassen } from './product-form.js';
import {
  constantData,
  type Ref,
  type Relaxed,
  relaxedFrom,
  type StageDraft,
  type StageSource,
  startRecord,
  typeCode,
} from './stage.js';

/** Rows of a strip of the relaxed product. */
const RELAXED_ROWS = 6;

/** From three rows on, a tile of four takes less time, the packing of its weights left out. */
const FEW_ROWS = 2;

const strips = (rows: number): number => Math.ceil(rows / RELAXED_ROWS); // float-ok: small, rounded up

interface Product {
  readonly result: string;
  readonly x: Ref;
  readonly xType: DType;
  readonly k: number;
  readonly n: number;
  /** Address of the packed right side, or the value that holds it. */
  readonly b: number | Ref;
  readonly bGroup: number;
  readonly bias: number;
  readonly weightBytes: number;
  /** By gemm-strassen.ts, b as it is. */
  readonly strassen: boolean;
  /** By few-rows.ts, b as it is, `bGroup` bytes from row to row. */
  readonly few?: boolean;
  /** By the relaxed kernel, whose right side holds the bias; never with `strassen`. */
  readonly relaxed?: Relaxed;
}

/** Scratch for the packed left side of a unit. */
function packedRowBytes(strip: number, k: number, { strassen, relaxed }: Product): number {
  if (relaxed !== undefined) return strips(strip) * ((k + 15) >> 4) * 96;
  if (!strassen) return ((strip + 3) >> 2) * ((k + 7) >> 3) * 64;
  const strips8 = (strip + 7) >> 3;
  const eights = ((k >> 1) + 7) >> 3; // of half the k
  return R.STRASSEN_TILES_BYTES + 7 * eights * 128 + 7 * strips8 * eights * 64;
}

function productKind({ strassen, relaxed, few = false }: Product): number {
  if (few) return R.KIND_FEW_ROWS;
  if (relaxed !== undefined) return R.KIND_RELAXED_LINEAR;
  return strassen ? R.KIND_STRASSEN : R.KIND_LINEAR;
}

function productStage(product: Product): StageDraft {
  const { result, x, xType, k, n, b, strassen, relaxed } = product;
  const panels = (n + 7) >> 3;
  const reads = typeof b === 'number' ? [x] : [x, b];
  return {
    result,
    width: n,
    reads,
    temps: (strip) => [packedRowBytes(strip, k, product)],
    sumColumns: panels * 8,
    ...(relaxed === undefined ? {} : { sumRows: (strip: number) => strips(strip) * RELAXED_ROWS }),
    prepares: strassen,
    weightBytes: product.weightBytes,
    encode({ resolve, temp, sum }) {
      const record = startRecord(productKind(product), R.LINEAR_WORDS);
      record.splice(R.LINEAR_X, 4, ...resolve(x, xType));
      record.splice(R.LINEAR_OUT, 4, ...sum());
      record[R.LINEAR_X_TYPE] = typeCode(xType);
      record[R.LINEAR_K] = k;
      record[R.LINEAR_PANELS] = strassen ? panels >> 1 : panels;
      record[R.LINEAR_B] = typeof b === 'number' ? b : (resolve(b, 'i8')[0] as number);
      record[R.LINEAR_B_GROUP] = product.bGroup;
      record[R.LINEAR_BIAS] = product.bias;
      record[R.LINEAR_PACKED] = temp(0);
      record[R.LINEAR_FLIP] = relaxed?.flip ?? 0;
      return record;
    },
  };
}

/** @param needed rows of the result that anyone reads */
export function linearStage(source: StageSource, op: LinearOp, x: Ref, needed: number): StageDraft {
  const weights = source.program.constants[op.w];
  if (weights === undefined) throw new RangeError(`no constant ${op.w}`);
  const [n, k] = weights.shape as readonly [number, number];
  const relaxed = relaxedFrom(source, () => ((weights.data as Int8Array).includes(-128) ? -128 : -127));
  const strassen = relaxed === undefined && gainsByStrassen(needed, k, n);
  const bias = op.b === undefined ? 0 : source.pool.bytes(padded(constantData(source, op.b)));
  const product = { result: op.result, x, xType: 'i8', k, n, bGroup: 0, bias, strassen } as const;
  if (relaxed === undefined) {
    const b = strassen ? source.pool.dense(op.w, weights) : source.pool.weights(op.w, weights);
    return productStage({ ...product, b, weightBytes: strassen ? k * n : packedBytes(k, n) });
  }
  const b = source.pool.weights(op.w, weights, { bias, flip: relaxed.flip });
  return productStage({ ...product, b, weightBytes: relaxedBytes(k, n), relaxed });
}

/** The address of a constant right side `[…,k,n]` of one matrix, packed before the first run. */
export function packedOnce(source: StageSource, name: string, view: View): number {
  const constant = source.program.constants[name];
  if (constant === undefined) throw new RangeError(`no constant ${name}`);
  const [k, n] = view.shape.slice(-2) as [number, number];
  const [kStride, nStride] = view.strides.slice(-2) as [number, number];
  // Weights of a layer, rows of k: what `linear` packs as well.
  if (kStride === 1 && nStride === k && n * k === constant.data.length) return source.pool.weights(name, constant);
  const shape = [n, k];
  const data = new Int8Array(n * k);
  copyView(data, 0, constant.data, 0, planView({ offset: view.offset, shape, strides: [nStride, kStride] }));
  return source.pool.weights(`${name} ${JSON.stringify(view)}`, { dtype: 'i8', shape, data });
}

/**
 * The product of a row or two of int16, such as a class token's, by constant weights whose k lie side by side. They are read as the file
 * has them: packed, they would take twice the memory beside the same weights in the layout of the other rows' product.
 *
 * @param name of the weights
 * @param needed rows of the result that anyone reads
 * @param view of the right side, `[…,k,n]`
 * @returns undefined where the kernel does not fit: more rows, other types or strides, k or n not of whole vectors.
 */
export function fewRowsStage(
  { program, pool }: StageSource,
  result: string,
  name: string,
  x: Ref,
  xType: DType,
  needed: number,
  view: View,
): StageDraft | undefined {
  const weights = program.constants[name];
  const [k, n] = view.shape.slice(-2) as [number, number];
  const [kStride, bGroup] = view.strides.slice(-2) as [number, number];
  const fits = xType === 'i16' && needed <= FEW_ROWS && kStride === 1 && (k | n) % 8 === 0;
  if (weights === undefined || !fits) return undefined;
  const b = pool.dense(name, weights) + view.offset;
  return productStage({ result, x, xType, k, n, b, bGroup, bias: 0, weightBytes: k * n, strassen: false, few: true });
}

/**
 * @param b packed right sides, one per group of the result's rows, or the address of one that is constant
 * @param relaxed how they are packed
 */
export function matmulStage(
  op: MatmulOp,
  x: Ref,
  xType: DType,
  k: number,
  n: number,
  b: Ref | number,
  relaxed: Relaxed | undefined,
): StageDraft {
  const bGroup = (relaxed === undefined ? packedBytes : relaxedBytes)(k, n);
  const weightBytes = typeof b === 'number' ? bGroup : 0;
  const product = { result: op.result, x, xType, k, n, b, bGroup, bias: 0, weightBytes, strassen: false };
  return productStage(relaxed === undefined ? product : { ...product, relaxed });
}
