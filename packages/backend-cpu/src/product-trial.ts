/** One product in a memory of its own, by either kernel, through the command list that executables use. */
import { aligned } from '@ivit/tensor';
import { packedBytes, relaxedBytes } from './plan/constants.js';
import type { Relaxed } from './plan/stage.js';
import * as R from './record-layout.js';
import type { LinkedKernels } from './wasm-module.js';

/** `x` int8 [rows, k] times `w` int8 [columns, k], plus int32 `bias`, whose length is a multiple of 8. */
export interface TrialProduct {
  readonly rows: number;
  readonly k: number;
  readonly columns: number;
  readonly x: Int8Array;
  readonly w: Int8Array;
  readonly bias: Int32Array;
}

/** What loops of 16 read past an operand's end, and what whole strips write. */
const SLACK = 64;
/** Strips of either kernel are whole with so many rows more. */
const ROOM_ROWS = 6;

export class ProductTrial {
  readonly #kernels: LinkedKernels;
  readonly #memory: WebAssembly.Memory;
  #loaded = { list: 0, counter: 0, scratch: 0, out: 0, rows: 0, columns: 0, stride: 0 };

  constructor(kernels: LinkedKernels, memory: WebAssembly.Memory) {
    this.#kernels = kernels;
    this.#memory = memory;
  }

  /** Packs a product for a kernel; undefined is the int16 one. */
  load({ rows, k, columns, x, w, bias }: TrialProduct, relaxed: Relaxed | undefined): void {
    const { buffer } = this.#memory;
    let end = R.CONTROL_BYTES;
    const place = (bytes: number): number => {
      const start = aligned(end);
      end = start + bytes + SLACK;
      return start;
    };
    const panels = (columns + 7) >> 3;
    const stride = panels * 32;
    const panel = (relaxed === undefined ? packedBytes : relaxedBytes)(k, 8);
    const list = place(R.GROUP_WORDS * 4);
    const stage = place(R.LINEAR_WORDS * 4);
    const counter = place(4);
    const xAt = place(rows * k);
    const wAt = place(columns * k);
    const biasAt = place(bias.byteLength);
    const packed = place(panels * panel);
    const out = place((rows + ROOM_ROWS) * stride);
    // int16 and whole eights of k are the larger of the two layouts.
    const scratch = place((rows + ROOM_ROWS) * (k + 16) * 2);
    if (end > buffer.byteLength) throw new RangeError(`the product needs ${end} bytes`);
    new Int8Array(buffer, xAt, x.length).set(x);
    new Int8Array(buffer, wAt, w.length).set(w);
    new Int32Array(buffer, biasAt, bias.length).set(bias);
    for (let p = 0; p < panels; p++) {
      const args = [packed + p * panel, wAt + p * 8 * k, 1, k, k, Math.min(8, columns - p * 8)] as const;
      if (relaxed === undefined) this.#kernels.main.packPanel(...args);
      else this.#kernels.relaxed?.packPanel(...args, biasAt + p * 32, relaxed.flip);
    }
    const record = new Int32Array(buffer, stage, R.LINEAR_WORDS).fill(0);
    record[R.STAGE_KIND] = relaxed === undefined ? R.KIND_LINEAR : R.KIND_RELAXED_LINEAR;
    record[R.STAGE_LENGTH] = R.LINEAR_WORDS;
    record.set([xAt, 0, k, 0], R.LINEAR_X);
    record.set([out, 0, stride, 0], R.LINEAR_OUT);
    record[R.LINEAR_X_TYPE] = R.TYPE_I8;
    record[R.LINEAR_K] = k;
    record[R.LINEAR_PANELS] = panels;
    record[R.LINEAR_B] = packed;
    record[R.LINEAR_BIAS] = biasAt;
    record[R.LINEAR_FLIP] = relaxed?.flip ?? 0;
    new Int32Array(buffer, list, R.GROUP_WORDS).set([1, 1, rows, rows, stage, 1, counter]);
    this.#loaded = { list, counter, scratch, out, rows, columns, stride };
  }

  run(): void {
    const { list, counter, scratch } = this.#loaded;
    new Int32Array(this.#memory.buffer, counter, 1)[0] = 0;
    this.#kernels.main.run(list, 1, 1, scratch);
  }

  /** What the last run gave, [rows, columns]. */
  sums(): Int32Array {
    const { out, rows, columns, stride } = this.#loaded;
    const sums = new Int32Array(rows * columns);
    for (let r = 0; r < rows; r++) {
      sums.set(new Int32Array(this.#memory.buffer, out + r * stride, columns), r * columns);
    }
    return sums;
  }
}
