import type { MatmulOp } from '@ivit/program';
import type { DType, View } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { type Ref, type StageDraft, type StageSource, startRecord } from './stage.js';

/** From three rows on, a tile of four takes less time, the packing of its weights left out. */
const MOST_ROWS = 2;

/**
 * The product of a row or two of int16, such as a class token's, by constant weights whose k lie side by side. They are read as the file
 * has them: packed, they would take twice the memory beside the same weights in the layout of the other rows' product.
 *
 * @param needed rows of the result that anyone reads
 * @param view of the right side, `[k,n]`
 * @returns undefined where the kernel does not fit: more rows, other types or strides, k or n not of whole vectors.
 */
export function fewRowsStage(
  source: StageSource,
  op: MatmulOp,
  x: Ref,
  type: DType,
  needed: number,
  view: View,
): StageDraft | undefined {
  if (!('constant' in op.b) || type !== 'i16' || needed > MOST_ROWS) return undefined;
  const [k, n] = view.shape.slice(-2) as [number, number];
  const [kStride, nStride] = view.strides.slice(-2) as [number, number];
  const constant = source.program.constants[op.b.constant];
  if (constant === undefined || k % 8 !== 0 || n % 4 !== 0 || kStride !== 1) return undefined;
  const weights = source.pool.dense(op.b.constant, constant) + view.offset;
  return {
    result: op.result,
    width: n,
    reads: [x],
    sumColumns: (n + 7) & ~7,
    weightBytes: k * n,
    encode({ resolve, sum }) {
      const record = startRecord(R.KIND_FEW_ROWS, R.FEW_WORDS);
      record.splice(R.FEW_X, 4, ...resolve(x, type));
      record.splice(R.FEW_OUT, 4, ...sum());
      record[R.FEW_K] = k;
      record[R.FEW_COLUMNS] = n;
      record[R.FEW_B] = weights;
      record[R.FEW_B_STRIDE] = nStride;
      return record;
    },
  };
}
