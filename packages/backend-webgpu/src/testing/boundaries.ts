/** What is used of the kit's generator. */
export interface Random {
  integer(lo: number, hi: number): number;
  pick<T>(choices: readonly T[]): T;
  list(count: number, lo: number, hi: number): number[];
}

/** ±2^i + {-1, 0, 1} within lo … hi, and both ends. */
export function boundaries(lo: number, hi: number): readonly number[] {
  const found = new Set<number>([lo, hi]);
  for (let power = 1; power <= 2 ** 32; power *= 2) {
    for (const near of [-1, 0, 1]) {
      for (const sign of [-1, 0, 1]) {
        const value = sign * power + near;
        if (value >= lo && value <= hi) found.add(value);
      }
    }
  }
  return [...found];
}

/** An integer of lo … hi: a boundary, a small one, or any. */
export function edgy(random: Random, lo: number, hi: number): number {
  const edges = boundaries(lo, hi);
  const kind = random.integer(0, 2);
  if (kind === 0) return random.pick(edges);
  if (kind === 1) return random.integer(Math.max(lo, Math.min(-300, hi)), Math.min(hi, Math.max(300, lo)));
  return random.integer(lo, hi);
}
