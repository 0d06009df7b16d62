/** Repeatable integers: the same sequence from the same seed everywhere. */
export interface Random {
  /** Uniform in lo…hi, both included; the range holds at most 2^32 integers. */
  integer(lo: number, hi: number): number;
  pick<T>(choices: readonly T[]): T;
  list(count: number, lo: number, hi: number): number[];
}

/** Counter-based generator: a Weyl sequence through MurmurHash3's 32-bit finalizer. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const integer = (lo: number, hi: number): number => lo + (next() % (hi - lo + 1));
  return {
    integer,
    pick: (choices) => {
      const chosen = choices[integer(0, choices.length - 1)];
      if (chosen === undefined) throw new RangeError('nothing to choose from');
      return chosen;
    },
    list: (count, lo, hi) => Array.from({ length: count }, () => integer(lo, hi)),
  };
}
