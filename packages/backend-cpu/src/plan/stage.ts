import type { ValidatedProgram } from '@ivit/program';
import type { DType, IntegerArray } from '@ivit/tensor';
import { STAGE_KIND, STAGE_LENGTH, TYPE_I8, TYPE_I16, TYPE_I32, TYPE_U8 } from '../record-layout.js';
import type { ConstantPool } from './constants.js';
import type { RowAccess, RowSpace } from './rows.js';

/** The relaxed kernel as the machine has it: `flip` is what its second operand is xor-ed with, see assembly/relaxed-gemm.ts. */
export interface Relaxed {
  readonly flip: 0 | 128;
  /** Exact where no entry of the right side is below. */
  readonly least: -128 | -127;
}

/** What the stage builders share. */
export interface StageSource {
  readonly program: ValidatedProgram;
  readonly pool: ConstantPool;
  /** Products of int8 by int8 go to the relaxed kernel where it is exact for their right side. */
  readonly relaxed: Relaxed | undefined;
}

/** The relaxed kernel, if it is there and exact for a right side whose entries are at least `lo()`. */
export function relaxedFrom({ relaxed }: StageSource, lo: () => number): Relaxed | undefined {
  return relaxed !== undefined && (relaxed.least === -128 || lo() >= relaxed.least) ? relaxed : undefined;
}

export function constantData(source: StageSource, name: string): IntegerArray {
  return source.program.constants[name]?.data ?? new Int32Array(0);
}

/** Rows of a value, or of bytes that lie at an address before the first run. */
export type Ref =
  | { readonly value: string; readonly access: RowAccess }
  | { readonly address: number; readonly access: RowAccess };

/** Index of row (g, i) in the order of the op's own result: g·group + i·row. */
export interface RowOrder {
  readonly group: number;
  readonly row: number;
}

export interface EncodeContext {
  /** The four words of an operand. */
  readonly resolve: (ref: Ref, dtype: DType) => readonly number[];
  /** Scratch offset of the stage's temporary `index`. */
  readonly temp: (index: number) => number;
  /** The operand of the rows of int32 sums that a product writes. */
  readonly sum: () => readonly number[];
  /** Places a record outside the chain and returns its address. */
  readonly place: (record: readonly number[]) => number;
}

/** One op as a stage of a unit's chain, before addresses are known. */
export interface StageDraft {
  readonly result: string;
  /** Elements of one row of the result. */
  readonly width: number;
  readonly reads: readonly Ref[];
  /** Bytes of scratch used during the stage only, for units of so many rows. */
  readonly temps?: (strip: number) => readonly number[];
  /** Products write int32 sums of so many columns to scratch; whoever else needs them gets a copy. */
  readonly sumColumns?: number;
  /** Rows that a product writes for a unit of so many, where its strips are not of 4 or 8 rows. */
  readonly sumRows?: (strip: number) => number;
  /** Weights are made ready for the product once per unit. */
  readonly prepares?: boolean;
  /** Bytes of weights that the stage streams through. */
  readonly weightBytes?: number;
  encode(context: EncodeContext): number[];
}

/** Stages that every unit of some rows runs through. */
export interface GroupDraft {
  readonly space: RowSpace;
  /** Rows of a unit; undefined = for the encoder to choose. */
  readonly strip?: number;
  readonly stages: StageDraft[];
  /** Values whose rows lie in another order than the space's: others read them after the group only. */
  readonly scattered: Set<string>;
}

/** A record of so many words, all 0 but what it is. */
export function startRecord(kind: number, words: number): number[] {
  const record = new Array<number>(words).fill(0);
  record[STAGE_KIND] = kind;
  record[STAGE_LENGTH] = words;
  return record;
}

export function typeCode(dtype: DType): number {
  switch (dtype) {
    case 'u8':
      return TYPE_U8;
    case 'i8':
      return TYPE_I8;
    case 'i16':
      return TYPE_I16;
    case 'i32':
      return TYPE_I32;
    default:
      return dtype satisfies never;
  }
}
