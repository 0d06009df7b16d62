/** Entries of the GELU ramp table: |x| up to 4.5 in steps of 2^-7. */
export const GELU_TABLE_LENGTH = 577;

/** u of the ramp: x in 2^-7, y in 2^-12. */
export const GELU_RAMP_SHIFT = 5;
const GELU_FRACTION_BITS = 7;
/** Where GELU(x) and max(x, 0) agree within 2^-12/16. */
const GELU_REACH = 4.5;

const TWO_OVER_SQRT_PI = 1.1283791670955126;

/**
 * erf in float64 with + - x / in a fixed order, the same bits on every engine: `erf(z) = 2/√π · Σ 2^i z^(2i+1)/(2i+1)!! / e^(z²)`.
 * Both series have positive terms only, so nothing cancels: error below 1e-15 where tested; ±1 beyond |z| = 6.
 */
export function erf(z: number): number {
  if (z < 0) return -erf(-z);
  if (z > 6) return 1;
  const square = z * z;
  let sum = 0;
  for (let term = z, i = 0; sum + term !== sum; i++) {
    sum += term;
    term = (term * (2 * square)) / (2 * i + 3);
  }
  let exponential = 0;
  for (let term = 1, i = 1; exponential + term !== exponential; i++) {
    exponential += term;
    term = (term * square) / i;
  }
  return (TWO_OVER_SQRT_PI * sum) / exponential;
}

/** Largest u of `ramplookup`. */
const MOST_RAMP_SHIFT = 8;
/** u of the ramp for x in units of 2^-F: y in 2^-12 where u reaches, which it does for F of 4 and more. */
export function geluRampShift(fractionBits: number): number {
  return Math.min(MOST_RAMP_SHIFT, GELU_RAMP_SHIFT + GELU_FRACTION_BITS - fractionBits);
}

/**
 * Table of GELU for `ramplookup`: `T[i] = rne(2^12·(gelu(i/128) - i/128))`, i in 0 … 575; T[576] = 0.
 * As gelu(-x) = gelu(x) - x, the same entries serve both signs. No value is within 1e-6 of a tie, so any erf good to 1e-10 gives
 * the same table.
 *
 * @param fractionBits F, 1 … 7: x in units of 2^-F instead of 2^-7, y in units of 2^-(F+u), u of {@link geluRampShift}.
 */
export function geluRampTable(
  errorFunction: (z: number) => number = erf,
  fractionBits: number = GELU_FRACTION_BITS,
): Int16Array {
  const unit = 2 ** -fractionBits;
  const half = 2 ** (fractionBits + geluRampShift(fractionBits) - 1);
  const table = new Int16Array(Math.ceil(GELU_REACH / unit) + 1);
  for (let i = 0; i < table.length - 1; i++) {
    const x = i * unit;
    table[i] = Math.floor(0.5 - half * x * (1 - errorFunction(x * Math.SQRT1_2)));
  }
  return table;
}
