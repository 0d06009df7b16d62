import type { Relaxed, Trial, TrialProduct } from '@ivit/backend-cpu/~internal';

/** Repeatable bytes. */
export function makeBytes(count: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return state >>> 24;
  });
}

/** Left operands that every machine multiplies alike in this meaning: after the flip their top bit is 0. */
export function plainOperand(bytes: Uint8Array, { flip }: Relaxed): Int8Array {
  return Int8Array.from(bytes, (byte) => (byte & 127) - flip);
}

/** The sums, column by column, modulo 2^32. */
export function plainSums({ rows, k, columns, x, w, bias }: TrialProduct): Int32Array {
  const sums = new Int32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < columns; n++) {
      let sum = bias[n] ?? 0;
      for (let i = 0; i < k; i++) sum = (sum + (x[r * k + i] ?? 0) * (w[n * k + i] ?? 0)) | 0;
      sums[r * columns + n] = sum;
    }
  }
  return sums;
}

/** How many sums of the kernel are not `expected`. */
export function countWrong(
  trial: Trial,
  product: TrialProduct,
  relaxed: Relaxed | undefined,
  expected: Int32Array,
): number {
  trial.load(product, relaxed);
  trial.run();
  return trial.sums().reduce((wrong, sum, at) => wrong + (sum === expected[at] ? 0 : 1), 0);
}

/**
 * All pairs of int8, the right one at least `least`, at each of the 4 places of a sum and at all four at once, in each of the 8 columns of a panel: how many
 * sums the machine gives that are not the integer sum.
 */
export function countWrongPairs(trial: Trial, relaxed: Relaxed): { readonly sums: number; readonly wrong: number } {
  let sums = 0;
  let wrong = 0;
  for (let place = 0; place < 5; place++) {
    const fill = (value: (row: number) => number): Int8Array =>
      Int8Array.from({ length: 1024 }, (_, i) => (place === 4 || (i & 3) === place ? value(i >> 2) : 0));
    const x = fill((row) => row - 128);
    for (let turn = 0; turn < 8; turn++) {
      const w = fill((row) => Math.max(((row + turn) & 255) - 128, relaxed.least));
      const product = { rows: 256, k: 4, columns: 256, x, w, bias: new Int32Array(256) };
      wrong += countWrong(trial, product, relaxed, plainSums(product));
      sums += 65536;
    }
  }
  return { sums, wrong };
}

const ROWS = [1, 5, 6, 7, 12, 13, 24, 25];
const COLUMNS = [1, 7, 8, 9, 16, 17, 63];
const DEPTHS = [1, 3, 4, 5, 15, 16, 17, 31, 33, 64, 193, 770];

/** Products of every size around the tiles, their left operands as `operand` makes them. */
export function* sizedProducts(
  operand: (bytes: Uint8Array) => Int8Array,
  least: Relaxed['least'],
): Iterable<TrialProduct & { readonly name: string }> {
  let seed = 1;
  for (const rows of ROWS) {
    for (const columns of COLUMNS) {
      for (const k of DEPTHS) {
        seed += 3;
        yield {
          name: `${rows}x${k}x${columns}`,
          rows,
          k,
          columns,
          x: operand(makeBytes(rows * k, seed)),
          w: new Int8Array(makeBytes(columns * k, seed + 1).buffer).map((entry) => Math.max(entry, least)),
          bias: Int32Array.from(makeBytes((columns + 7) & ~7, seed + 2), (byte) => (byte - 128) << 16),
        };
      }
    }
  }
}
