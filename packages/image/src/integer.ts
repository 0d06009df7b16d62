/** `floor(a / b)` for integers 0 ≤ a < 2^53, 0 < b < 2^53. */
export function divFloor(a: number, b: number): number {
  // A quotient that is no integer lies at least 1/b below the next one, which is more than half the spacing of doubles
  // there (a < 2^53), so rounding never reaches it.
  // float-ok: exact for these ranges, see above.
  return Math.floor(a / b);
}

/** `ceil(a / b)` for integers 0 ≤ a, 0 < b, a + b ≤ 2^53. */
export function divCeil(a: number, b: number): number {
  return divFloor(a + b - 1, b);
}
