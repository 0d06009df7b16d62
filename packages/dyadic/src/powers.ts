/** Largest exponent in {@link POW2} and {@link INVERSE_POW2}. */
export const MAX_POWER = 127;

function powers(base: number): readonly number[] {
  const table: number[] = [];
  let power = 1;
  for (let exponent = 0; exponent <= MAX_POWER; exponent++) {
    table.push(power);
    power *= base;
  }
  return table;
}

/** `POW2[i] = 2^i`, i in 0 … 127: every entry is exact as a JS number. */
export const POW2: readonly number[] = /* @__PURE__ */ powers(2);

/** `INVERSE_POW2[i] = 2^-i`, i in 0 … 127, exact: `n * INVERSE_POW2[i]` only changes the exponent, so it is exact too. */
export const INVERSE_POW2: readonly number[] = /* @__PURE__ */ powers(0.5);
