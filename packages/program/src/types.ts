import type { DType, IntegerArray, View } from '@ivit/tensor';

export type { DType, View };

/** Data of a tensor: the class is the dtype's. */
export type IntArray = IntegerArray;

/** Op semantics released under an id never change (docs/spec). A program has the least id that holds all its ops. */
export type SpecId = 'ivit/1' | 'ivit/1.1';

/**
 * What an op reads: a value or a constant, seen whole and dense unless a view is given. A view counts elements of one
 * image; stride 0 broadcasts; rank ≤ 6, sizes ≥ 1, every reachable index inside.
 */
export type Operand =
  | { readonly value: string; readonly view?: View }
  | { readonly constant: string; readonly view?: View };

/** A per-op or per-channel integer: inline for length 1, the name of a rank-1 constant otherwise. */
export type Param = number | { readonly constant: string };

/** A tensor baked into the program, dense row-major. */
export interface Constant {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: IntArray;
  /**
   * i8 only: bits that an entry takes in a file, 2 … 7, where all entries fit them. Absent = 8. Says nothing about what the
   * program computes and is not part of the model id.
   */
  readonly bits?: number;
}

/** Shape and dtype of a value, without the batch: the batch is chosen at run time. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface Addend {
  readonly operand: Operand;
  readonly m: number;
  readonly e: number;
}

/**
 * `y[o,j,i] = clamp_to( rne(x[o,channels[j],i]·m[j] / 2^e[j]) + rne(a·ma / 2^ea) + z[j] )`, or, with `row`,
 * `y[o,j] = clamp_to( rne((x[o,j]·f·m[j]·2^E + bias[j]·2^k) / 2^e[j]) + rne(a·ma / 2^ea) + z[j] )` with
 * `E = row >> 4`, `f = 16 + (row & 15)`.
 *
 * The parameters run over the `run` axes of x that start at `axis`, flattened (`run` 0: per tensor).
 * With `channels` or `row` the run must be the last axis alone.
 */
export interface RequantizeOp {
  readonly op: 'requantize';
  readonly result: string;
  readonly x: Operand;
  readonly m: Param;
  readonly e: Param;
  readonly z: Param;
  readonly axis: number;
  readonly run: number;
  readonly to: 'i8' | 'i16' | 'i32';
  /** Constant i32[C'] of source channels (0 … 65535). */
  readonly channels?: string;
  readonly addend?: Addend;
  /** Row-dynamic form: u8 row codes, shape = x's shape without its last axis. */
  readonly row?: Operand;
  /** Constant i32[C'], row-dynamic form only. */
  readonly bias?: string;
  /** Shift of the bias, 0 … 62, row-dynamic form only. */
  readonly k?: number;
}

/** Smallest scale on a 16-steps-per-octave grid at which an i16 row fits int8; u8 code per row. */
export interface RowscaleOp {
  readonly op: 'rowscale';
  readonly result: string;
  readonly x: Operand;
  readonly cp: Param;
  readonly cn: Param;
}

/** i16 rows to i8 at the scale of their row code. */
export interface RowquantizeOp {
  readonly op: 'rowquantize';
  readonly result: string;
  readonly x: Operand;
  readonly row: Operand;
  readonly z: number;
  /** Constant i32[C'] of source channels. */
  readonly channels?: string;
  /** Constant i8[C']: slot number of each result channel (0 = base). */
  readonly slot?: string;
}

/** `y[…,n] = b[n] + Σ_k x[…,k]·w[n,k]`; x i8 `[…,K]`, w i8 `[N,K]`, b i32 `[N]`. */
export interface LinearOp {
  readonly op: 'linear';
  readonly result: string;
  readonly x: Operand;
  readonly w: string;
  readonly b?: string;
}

/**
 * `y[g,i,j] = Σ_k a[g,i,k]·b[g,k,j]`; a i8 or i16, b i8, both of one rank ≥ 2 with equal leading sizes.
 * With `log2` (version 2, ivit/1.1) a holds u8 codes 0 … 15: `y[g,i,j] = Σ_k b[g,k,j]·2^(15 - a[g,i,k])`.
 */
export interface MatmulOp {
  readonly op: 'matmul';
  readonly result: string;
  readonly a: Operand;
  readonly b: Operand;
  readonly log2?: 4;
}

/** How softmax turns a distance from the row maximum into an integer exponential. */
export type Exponential =
  | { readonly shift: number; readonly n: number }
  | { readonly table: string }
  | { readonly pow2: number };

export interface SoftmaxOp {
  readonly op: 'softmax';
  readonly result: string;
  readonly x: Operand;
  readonly exponential: Exponential;
  readonly bits: 8 | 16;
  /** Version 2, ivit/1.1: u8 codes c that stand for 2^-c, of 4 bits; `bits` is then 8. */
  readonly log2?: 4;
}

export interface ShiftgeluOp {
  readonly op: 'shiftgelu';
  readonly result: string;
  readonly x: Operand;
  readonly x0: number;
  readonly n: number;
}

export interface LayernormOp {
  readonly op: 'layernorm';
  readonly result: string;
  readonly x: Operand;
  /** Constant i32[L]; absent = 0. */
  readonly b?: string;
}

/** Table look-up of an 8-bit value: table i8 or i16, 256 entries or `[C,256]` by last axis. */
export interface LookupOp {
  readonly op: 'lookup';
  readonly result: string;
  readonly x: Operand;
  readonly table: string;
}

/** `y = max(x,0)·2^u + table[min(|x|, D-1)]`, x i16, table i16[D] with last entry 0. */
export interface RamplookupOp {
  readonly op: 'ramplookup';
  readonly result: string;
  readonly x: Operand;
  readonly table: string;
  readonly u: number;
}

/** `y = rne(Σx / n)` along one axis, which is removed; same dtype. */
export interface MeanOp {
  readonly op: 'mean';
  readonly result: string;
  readonly x: Operand;
  readonly axis: number;
}

/** x seen as `[R, width]`, rows chosen by the constant i32[R'], result of any dense shape. */
export interface GatherOp {
  readonly op: 'gather';
  readonly result: string;
  readonly x: Operand;
  readonly rows: string;
  readonly width: number;
}

/** Operands of one dtype joined along axis 0. */
export interface ConcatOp {
  readonly op: 'concat';
  readonly result: string;
  readonly operands: readonly Operand[];
}

export type Op =
  | RequantizeOp
  | RowscaleOp
  | RowquantizeOp
  | LinearOp
  | MatmulOp
  | SoftmaxOp
  | ShiftgeluOp
  | LayernormOp
  | LookupOp
  | RamplookupOp
  | MeanOp
  | GatherOp
  | ConcatOp;

export type OpName = Op['op'];

/** How a photo becomes the H×W×3 u8 pixels of the input value. Not part of the model id. */
export interface InputDescription {
  /** Shorter side after resizing, pixels. */
  readonly resize: number;
  readonly interpolation: 'bicubic' | 'bilinear';
  /** Centre crop, pixels: equal to the input value's height and width. */
  readonly crop: { readonly height: number; readonly width: number };
}

/** Where a model comes from. Recorded, not part of the model id. */
export interface Provenance {
  /** sha256 (hex) of each source weight file. */
  readonly sources?: readonly { readonly name: string; readonly sha256: string }[];
  /** e.g. `ptq@1`. */
  readonly recipe?: string;
  /** sha256 (hex) of each calibration photo's file bytes. */
  readonly calibration?: readonly string[];
  readonly architecture?: string;
  readonly licence?: string;
}

/** Seed of generated pixels (see `selfCheckPixels`) and the sha256 of the int32 LE logits they give. */
export interface SelfCheck {
  readonly seed: number;
  readonly sha256: string;
}

/**
 * An integer program: pixels in (`u8 [H,W,3]`, or any u8 value), int32 logits out.
 * The thin waist of the project: everything before it builds one, everything after it runs one.
 */
export interface Program {
  readonly spec: SpecId;
  /** Name of the u8 input value; it is in `values` and no op results in it. */
  readonly input: string;
  /** Every value, the input included. */
  readonly values: Readonly<Record<string, ValueType>>;
  /** In an order in which every operand is made before it is read. */
  readonly ops: readonly Op[];
  readonly constants: Readonly<Record<string, Constant>>;
  readonly output: string;
  /** Output unit is 2^-outputShift (logits as real numbers = int32 · 2^-outputShift). 0 where unknown. */
  readonly outputShift: number;
  readonly image?: InputDescription;
  readonly labels?: readonly string[];
  /** Answers whose score (k/65536) is below this are `unknown`. 0 or absent = never. */
  readonly unknownBelow?: number;
  readonly provenance?: Provenance;
  readonly selfCheck?: SelfCheck;
}

/** Closed integer interval that holds every element of a value. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

export interface ProgramLimits {
  readonly ops: number;
  /** Multiply-accumulates of one image. */
  readonly macs: number;
  /** Bytes of all constants, all values of one image and all operands that are strided views. */
  readonly bytes: number;
}

export interface ProgramFacts {
  readonly intervals: Readonly<Record<string, Interval>>;
  /** Per `requantize` result: bits of its largest possible numerator (at most 52 = exact in f64). */
  readonly numeratorBits: Readonly<Record<string, number>>;
  readonly macs: number;
  readonly constantBytes: number;
  readonly valueBytes: number;
  /** Names and counts of the ops used. */
  readonly ops: Readonly<Partial<Record<OpName, number>>>;
}

declare const VALIDATED: unique symbol;

/** A program whose shapes, indices, limits and overflow bounds were all proved by `validate`. */
export interface ValidatedProgram extends Program {
  readonly facts: ProgramFacts;
  readonly [VALIDATED]: true;
}
