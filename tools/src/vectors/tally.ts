/** What two sequences of numbers differ in, element by element; undefined when in nothing. -0 equals 0. */
export function differenceOf(found: ArrayLike<number>, expected: ArrayLike<number>): string | undefined {
  if (found.length !== expected.length) return `${found.length} numbers instead of ${expected.length}`;
  let at = 0;
  while (at < found.length && found[at] === expected[at]) at += 1;
  return at === found.length ? undefined : `[${at}] is ${found[at]} instead of ${expected[at]}`;
}

/** Counts comparisons and prints the first few that differ. */
export interface Tally {
  /** Compares two sequences of numbers element by element; -0 equals 0. */
  same(what: string, found: ArrayLike<number>, expected: ArrayLike<number>): void;
  /** A comparison made elsewhere: `difference` is undefined when there is none. */
  check(what: string, difference: string | undefined): void;
  readonly checked: number;
  readonly different: number;
}

const SHOWN = 20;

export function createTally(print: (line: string) => void): Tally {
  let checked = 0;
  let different = 0;
  const check = (what: string, difference: string | undefined): void => {
    checked += 1;
    if (difference === undefined) return;
    different += 1;
    if (different <= SHOWN) print(`DIFFERENT ${what}: ${difference}`);
  };
  return {
    get checked() {
      return checked;
    },
    get different() {
      return different;
    },
    check,
    same: (what, found, expected) => check(what, differenceOf(found, expected)),
  };
}
