/** Stages of `linear` and `matmul`. */
import type { LinearOp, MatmulOp } from '@ivit/program';
import type { DType } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { packedBytes, padded, strassenBytes } from './constants.js';
import { gainsByStrassen } from './product-form.js';
import { constantData, type Ref, type StageDraft, type StageSource, startRecord, typeCode } from './stage.js';

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
  /** By gemm-strassen.ts, b packed for it. */
  readonly strassen: boolean;
}

/** Scratch for the packed left side of a unit. */
function packedRowBytes(strip: number, k: number, strassen: boolean): number {
  if (!strassen) return ((strip + 3) >> 2) * ((k + 7) >> 3) * 64;
  return R.STRASSEN_TEMP_BYTES + 7 * ((strip + 7) >> 3) * (((k >> 1) + 7) >> 3) * 64;
}

function productStage(product: Product): StageDraft {
  const { result, x, xType, k, n, b, strassen } = product;
  const panels = (n + 7) >> 3;
  const reads = typeof b === 'number' ? [x] : [x, b];
  return {
    result,
    width: n,
    reads,
    temps: (strip) => [packedRowBytes(strip, k, strassen)],
    sumColumns: panels * 8,
    weightBytes: product.weightBytes,
    encode({ resolve, temp, sum }) {
      const record = startRecord(strassen ? R.KIND_STRASSEN : R.KIND_LINEAR, R.LINEAR_WORDS);
      record.splice(R.LINEAR_X, 4, ...resolve(x, xType));
      record.splice(R.LINEAR_OUT, 4, ...sum());
      record[R.LINEAR_X_TYPE] = typeCode(xType);
      record[R.LINEAR_K] = k;
      record[R.LINEAR_PANELS] = strassen ? panels >> 1 : panels;
      record[R.LINEAR_B] = typeof b === 'number' ? b : (resolve(b, 'i8')[0] as number);
      record[R.LINEAR_B_GROUP] = product.bGroup;
      record[R.LINEAR_BIAS] = product.bias;
      record[R.LINEAR_PACKED] = temp(0);
      return record;
    },
  };
}

/** @param needed rows of the result that anyone reads */
export function linearStage(source: StageSource, op: LinearOp, x: Ref, needed: number): StageDraft {
  const weights = source.program.constants[op.w];
  if (weights === undefined) throw new RangeError(`no constant ${op.w}`);
  const [n, k] = weights.shape as readonly [number, number];
  const strassen = gainsByStrassen(needed, k, n);
  const bias = op.b === undefined ? 0 : source.pool.bytes(padded(constantData(source, op.b)));
  return productStage({
    result: op.result,
    x,
    xType: 'i8',
    k,
    n,
    b: source.pool.weights(op.w, weights, strassen),
    bGroup: 0,
    bias,
    weightBytes: strassen ? strassenBytes(k, n) : packedBytes(k, n),
    strassen,
  });
}

/** @param b packed right sides, one per group of the result's rows */
export function matmulStage(op: MatmulOp, x: Ref, xType: DType, k: number, n: number, b: Ref): StageDraft {
  const bytes = packedBytes(k, n);
  return productStage({
    result: op.result,
    x,
    xType,
    k,
    n,
    b,
    bGroup: bytes,
    bias: 0,
    weightBytes: 0,
    strassen: false,
  });
}
