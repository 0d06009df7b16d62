/** Columns that one invocation makes. */
export const COLUMNS = 4;

/** Columns of the packed weights: a multiple of 4. */
export function packedColumns(columns: number): number {
  return (columns + COLUMNS - 1) & -COLUMNS;
}

/**
 * Weights i8 `[N,K]` as words `[⌈K/4⌉][N']`: word (k, n) holds w[n, 4k … 4k+3], zero beyond K, so that neighbors in a
 * workgroup read neighboring words. Columns N … N'-1 are zero.
 */
export function packWeights(weights: ArrayLike<number>, columns: number, depth: number): Uint32Array<ArrayBuffer> {
  const width = packedColumns(columns);
  const words = new Uint32Array(((depth + 3) >> 2) * width);
  for (let n = 0; n < columns; n++) {
    for (let k = 0; k < depth; k += 4) {
      let word = 0;
      for (let i = 0; i < 4 && k + i < depth; i++) word |= ((weights[n * depth + k + i] as number) & 255) << (8 * i);
      words[(k >> 2) * width + n] = word;
    }
  }
  return words;
}
