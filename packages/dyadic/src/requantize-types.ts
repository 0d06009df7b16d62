/** What the loops read and write. */
export type IntegerArray = Uint8Array | Int8Array | Int16Array | Int32Array;

/** An added operand laid out like the result: element i of the result adds `values[offset + i]·m·2^-e`, rounded alone. */
export interface RequantizeAddend {
  readonly values: IntegerArray;
  readonly m: number;
  readonly e: number;
}

/** Per-channel parameters; each of `m`, `e`, `z` has length 1 (shared) or one entry per result channel. */
export interface RequantizeParameters {
  readonly m: Int32Array;
  readonly e: Uint8Array;
  readonly z: Int32Array;
  /** Source channel of each result channel; null: the same channel. */
  readonly channels: Int32Array | Uint16Array | null;
}

/** Parameters of the row-dynamic form: `bias` one entry per result channel, or null for none. */
export interface RequantizeDynamicParameters extends RequantizeParameters {
  readonly bias: Int32Array | null;
  /** Shift of the bias, 0 … 62. */
  readonly k: number;
}
