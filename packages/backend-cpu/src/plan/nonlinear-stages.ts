/** Stages of the ops that look their results up: `softmax`, `shiftgelu`, `ramplookup`, `lookup`. */
import { POW2_FRACTION, POW2_FRACTION_BITS, shiftExpTable, shiftGeluRows, shiftGeluTable } from '@ivit/nonlinear';
import type { Exponential, LookupOp, RamplookupOp, ShiftgeluOp, SoftmaxOp } from '@ivit/program';
import type { DType } from '@ivit/tensor';
import * as R from '../record-layout.js';
import type { PlacedTable } from './constants.js';
import { constantData, type Ref, type StageDraft, type StageSource, startRecord, typeCode } from './stage.js';

/** E of every distance of two int16 in units of 2^-F octaves, u16; the last entry is the first 0. */
function pow2Table(fractionBits: number): Uint16Array {
  const unit = 1 << fractionBits;
  const table = new Uint16Array(16 * unit + 1);
  for (let d = 0; d < table.length - 1; d++) {
    const i = (d + unit - 1) >> fractionBits;
    const g = ((i << fractionBits) - d) << (POW2_FRACTION_BITS - fractionBits);
    table[d] = (POW2_FRACTION[g] as number) >> i;
  }
  return table;
}

/** Once per program: every block's softmax has the same. */
function exponentialTable({ pool, program }: StageSource, exponential: Exponential): PlacedTable {
  if ('pow2' in exponential) return pool.table(`pow2 ${exponential.pow2}`, () => pow2Table(exponential.pow2));
  if ('table' in exponential) {
    const { table } = exponential;
    return pool.table(`dense ${table}`, () => program.constants[table]?.data ?? new Int32Array(0));
  }
  const { shift, n } = exponential;
  return pool.table(`shift ${shift} ${n}`, () => shiftExpTable(shift, n));
}

export function softmaxStage(
  source: StageSource,
  op: SoftmaxOp,
  x: Ref,
  xType: DType,
  columns: number,
  out: Ref,
): StageDraft {
  const { exponential } = op;
  const table = exponentialTable(source, exponential);
  const wide = (columns + 7) & ~7;
  const log2 = op.log2 !== undefined;
  return {
    result: op.result,
    width: columns,
    reads: [x],
    temps: () => [wide * 6],
    encode({ resolve, temp }) {
      const record = startRecord(R.KIND_SOFTMAX, R.SOFT_WORDS);
      record.splice(R.SOFT_X, 4, ...resolve(x, xType));
      record.splice(R.SOFT_OUT, 4, ...resolve(out, log2 ? 'u8' : op.bits === 8 ? 'i8' : 'i16'));
      record[R.SOFT_COLUMNS] = columns;
      record[R.SOFT_X_TYPE] = typeCode(xType);
      record[R.SOFT_BITS] = op.bits;
      record[R.SOFT_TABLE] = table.address;
      record[R.SOFT_LAST] = table.length - 1;
      record[R.SOFT_POW2] = 'pow2' in exponential ? 1 : 0;
      record[R.SOFT_LOG2] = log2 ? 1 : 0;
      record[R.SOFT_TEMP] = temp(0);
      return record;
    },
  };
}

/** ShiftGELU of every value in a row of every maximum: i16[256][256], both from -128. */
function shiftGeluPlane(x0: number, n: number): Int16Array {
  const plane = new Int16Array(65536);
  const table = shiftGeluTable(x0, n);
  const row = Int8Array.from({ length: 256 }, (_, i) => i - 128);
  // A row of the values up to its last has that one as its maximum.
  for (let top = 0; top < 256; top++) shiftGeluRows(plane, top * 256, row, 0, 1, top + 1, x0, n, table);
  return plane;
}

export function shiftgeluStage(source: StageSource, op: ShiftgeluOp, x: Ref, columns: number, out: Ref): StageDraft {
  const address = source.pool.shared(`gelu ${op.x0} ${op.n}`, () => shiftGeluPlane(op.x0, op.n));
  return {
    result: op.result,
    width: columns,
    reads: [x],
    encode({ resolve }) {
      const record = startRecord(R.KIND_SHIFTGELU, R.GELU_WORDS);
      record.splice(R.GELU_X, 4, ...resolve(x, 'i8'));
      record.splice(R.GELU_OUT, 4, ...resolve(out, 'i16'));
      record[R.GELU_COLUMNS] = columns;
      record[R.GELU_TABLE] = address;
      return record;
    },
  };
}

export function ramplookupStage(source: StageSource, op: RamplookupOp, x: Ref, columns: number, out: Ref): StageDraft {
  const table = constantData(source, op.table);
  const address = source.pool.shared(`dense ${op.table}`, () => table);
  return {
    result: op.result,
    width: columns,
    reads: [x],
    encode({ resolve }) {
      const record = startRecord(R.KIND_RAMPLOOKUP, R.RAMP_WORDS);
      record.splice(R.RAMP_X, 4, ...resolve(x, 'i16'));
      record.splice(R.RAMP_OUT, 4, ...resolve(out, 'i32'));
      record[R.RAMP_COLUMNS] = columns;
      record[R.RAMP_TABLE] = address;
      record[R.RAMP_LAST] = Math.min(table.length - 1, 32768); // no |x| is larger
      record[R.RAMP_U] = op.u;
      return record;
    },
  };
}

export function lookupStage(
  source: StageSource,
  op: LookupOp,
  x: Ref,
  xType: DType,
  columns: number,
  out: Ref,
): StageDraft {
  const table = source.program.constants[op.table];
  if (table === undefined) throw new RangeError(`no constant ${op.table}`);
  const address = source.pool.dense(op.table, table);
  const type = table.dtype === 'i8' ? 'i8' : 'i16';
  return {
    result: op.result,
    width: columns,
    reads: [x],
    encode({ resolve }) {
      const record = startRecord(R.KIND_LOOKUP, R.LOOK_WORDS);
      record.splice(R.LOOK_X, 4, ...resolve(x, xType));
      record.splice(R.LOOK_OUT, 4, ...resolve(out, type));
      record[R.LOOK_COLUMNS] = columns;
      record[R.LOOK_FLIP] = xType === 'i8' ? 128 : 0;
      record[R.LOOK_TABLE] = address;
      record[R.LOOK_EACH] = table.shape.length === 2 ? 256 * table.data.BYTES_PER_ELEMENT : 0;
      record[R.LOOK_CHANNELS] = table.shape.length === 2 ? (table.shape[0] as number) : 1;
      record[R.LOOK_OUT_TYPE] = typeCode(type);
      return record;
    },
  };
}
