/** Stages of the row ops but `requantize`. */
import { POW2_FRACTION, POW2_FRACTION_BITS, shiftExpTable, shiftGeluRows, shiftGeluTable } from '@ivit/nonlinear';
import type {
  LayernormOp,
  LinearOp,
  LookupOp,
  MatmulOp,
  Param,
  RamplookupOp,
  RowquantizeOp,
  RowscaleOp,
  ShiftgeluOp,
  SoftmaxOp,
  ValidatedProgram,
} from '@ivit/program';
import type { DType, IntegerArray } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { type ConstantPool, packedBytes, padded } from './constants.js';
import { type Ref, type StageDraft, typeCode } from './stage.js';

/** What the stage builders share. */
export interface StageSource {
  readonly program: ValidatedProgram;
  readonly pool: ConstantPool;
}

function constantData(source: StageSource, name: string): IntegerArray {
  return source.program.constants[name]?.data ?? new Int32Array(0);
}

function start(kind: number, words: number): number[] {
  const record = new Array<number>(words).fill(0);
  record[R.STAGE_KIND] = kind;
  record[R.STAGE_LENGTH] = words;
  return record;
}

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
      const record = start(R.KIND_LINEAR, R.LINEAR_WORDS);
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

function bound(source: StageSource, param: Param): ArrayLike<number> {
  return typeof param === 'number' ? [param] : constantData(source, param.constant);
}

export function rowscaleStage(source: StageSource, op: RowscaleOp, x: Ref, columns: number, out: Ref): StageDraft {
  const cp = bound(source, op.cp);
  const cn = bound(source, op.cn);
  const each = cp.length > 1 || cn.length > 1;
  const cpWord = each ? source.pool.bytes(padded(cp, columns)) : (cp[0] as number);
  const cnWord = each ? source.pool.bytes(padded(cn, columns)) : (cn[0] as number);
  return {
    result: op.result,
    width: 1,
    reads: [x],
    encode({ resolve }) {
      const record = start(R.KIND_ROWSCALE, R.SCALE_WORDS);
      record.splice(R.SCALE_X, 4, ...resolve(x, 'i16'));
      record.splice(R.SCALE_OUT, 4, ...resolve(out, 'u8'));
      record[R.SCALE_COLUMNS] = columns;
      record[R.SCALE_CP] = cpWord;
      record[R.SCALE_CN] = cnWord;
      record[R.SCALE_EACH] = each ? 1 : 0;
      return record;
    },
  };
}

export function rowquantizeStage(
  source: StageSource,
  op: RowquantizeOp,
  x: Ref,
  row: Ref,
  columns: number,
  out: Ref,
): StageDraft {
  const channels = op.channels === undefined ? 0 : source.pool.bytes(padded(constantData(source, op.channels)));
  const slots = op.slot === undefined ? 0 : source.pool.bytes(constantData(source, op.slot));
  return {
    result: op.result,
    width: columns,
    reads: [x, row],
    encode({ resolve }) {
      const record = start(R.KIND_ROWQUANTIZE, R.QUANT_WORDS);
      record.splice(R.QUANT_X, 4, ...resolve(x, 'i16'));
      record.splice(R.QUANT_ROW, 4, ...resolve(row, 'u8'));
      record.splice(R.QUANT_OUT, 4, ...resolve(out, 'i8'));
      record[R.QUANT_COLUMNS] = columns;
      record[R.QUANT_Z] = op.z;
      record[R.QUANT_CHANNELS] = channels;
      record[R.QUANT_SLOTS] = slots;
      return record;
    },
  };
}

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

export function softmaxStage(
  source: StageSource,
  op: SoftmaxOp,
  x: Ref,
  xType: DType,
  columns: number,
  out: Ref,
): StageDraft {
  const { exponential } = op;
  const { pool } = source;
  let table: IntegerArray | Uint16Array;
  let key: string;
  if ('pow2' in exponential) {
    table = pow2Table(exponential.pow2);
    key = `pow2 ${exponential.pow2}`;
  } else if ('table' in exponential) {
    table = constantData(source, exponential.table);
    key = `dense ${exponential.table}`;
  } else {
    table = shiftExpTable(exponential.shift, exponential.n);
    key = `shift ${exponential.shift} ${exponential.n}`;
  }
  const address = pool.shared(key, () => table);
  const wide = (columns + 7) & ~7;
  return {
    result: op.result,
    width: columns,
    reads: [x],
    temps: () => [wide * 6],
    encode({ resolve, temp }) {
      const record = start(R.KIND_SOFTMAX, R.SOFT_WORDS);
      record.splice(R.SOFT_X, 4, ...resolve(x, xType));
      record.splice(R.SOFT_OUT, 4, ...resolve(out, op.bits === 8 ? 'i8' : 'i16'));
      record[R.SOFT_COLUMNS] = columns;
      record[R.SOFT_X_TYPE] = typeCode(xType);
      record[R.SOFT_BITS] = op.bits;
      record[R.SOFT_TABLE] = address;
      record[R.SOFT_LAST] = table.length - 1;
      record[R.SOFT_POW2] = 'pow2' in exponential ? 1 : 0;
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
      const record = start(R.KIND_SHIFTGELU, R.GELU_WORDS);
      record.splice(R.GELU_X, 4, ...resolve(x, 'i8'));
      record.splice(R.GELU_OUT, 4, ...resolve(out, 'i16'));
      record[R.GELU_COLUMNS] = columns;
      record[R.GELU_TABLE] = address;
      return record;
    },
  };
}

export function layernormStage(
  source: StageSource,
  op: LayernormOp,
  x: Ref,
  xType: DType,
  columns: number,
  out: Ref,
): StageDraft {
  const bias = op.b === undefined ? 0 : source.pool.bytes(padded(constantData(source, op.b)));
  return {
    result: op.result,
    width: columns,
    reads: [x],
    encode({ resolve }) {
      const record = start(R.KIND_LAYERNORM, R.NORM_WORDS);
      record.splice(R.NORM_X, 4, ...resolve(x, xType));
      record.splice(R.NORM_OUT, 4, ...resolve(out, 'i32'));
      record[R.NORM_COLUMNS] = columns;
      record[R.NORM_X_TYPE] = typeCode(xType);
      record[R.NORM_BIAS] = bias;
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
    temps: () => [((columns + 7) & ~7) * 2],
    encode({ resolve, temp }) {
      const record = start(R.KIND_RAMPLOOKUP, R.RAMP_WORDS);
      record.splice(R.RAMP_X, 4, ...resolve(x, 'i16'));
      record.splice(R.RAMP_OUT, 4, ...resolve(out, 'i32'));
      record[R.RAMP_COLUMNS] = columns;
      record[R.RAMP_TABLE] = address;
      record[R.RAMP_LAST] = Math.min(table.length - 1, 32768); // no |x| is larger
      record[R.RAMP_U] = op.u;
      record[R.RAMP_TEMP] = temp(0);
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
      const record = start(R.KIND_LOOKUP, R.LOOK_WORDS);
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
