/** Stages of `linear` and `matmul`. */
import type { LinearOp, MatmulOp } from '@ivit/program';
import type { DType } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { packedBytes, padded } from './constants.js';
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
}

function productStage(product: Product): StageDraft {
  const { result, x, xType, k, n, b } = product;
  const panels = (n + 7) >> 3;
  const reads = typeof b === 'number' ? [x] : [x, b];
  return {
    result,
    width: n,
    reads,
    temps: (strip) => [((strip + 3) >> 2) * ((k + 7) >> 3) * 64],
    sumColumns: panels * 8,
    weightBytes: product.weightBytes,
    encode({ resolve, temp, sum }) {
      const record = startRecord(R.KIND_LINEAR, R.LINEAR_WORDS);
      record.splice(R.LINEAR_X, 4, ...resolve(x, xType));
      record.splice(R.LINEAR_OUT, 4, ...sum());
      record[R.LINEAR_X_TYPE] = typeCode(xType);
      record[R.LINEAR_K] = k;
      record[R.LINEAR_PANELS] = panels;
      record[R.LINEAR_B] = typeof b === 'number' ? b : (resolve(b, 'i8')[0] as number);
      record[R.LINEAR_B_GROUP] = product.bGroup;
      record[R.LINEAR_BIAS] = product.bias;
      record[R.LINEAR_PACKED] = temp(0);
      return record;
    },
  };
}

export function linearStage(source: StageSource, op: LinearOp, x: Ref): StageDraft {
  const weights = source.program.constants[op.w];
  if (weights === undefined) throw new RangeError(`no constant ${op.w}`);
  const [n, k] = weights.shape as readonly [number, number];
  const bias = op.b === undefined ? 0 : source.pool.bytes(padded(constantData(source, op.b)));
  return productStage({
    result: op.result,
    x,
    xType: 'i8',
    k,
    n,
    b: source.pool.weights(op.w, weights),
    bGroup: 0,
    bias,
    weightBytes: packedBytes(k, n),
  });
}

/** @param b packed right sides, one per group of the result's rows */
export function matmulStage(op: MatmulOp, x: Ref, xType: DType, k: number, n: number, b: Ref): StageDraft {
  const bytes = packedBytes(k, n);
  return productStage({ result: op.result, x, xType, k, n, b, bGroup: bytes, bias: 0, weightBytes: 0 });
}
