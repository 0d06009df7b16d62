/**
 * exp and erf from + - × alone (no Math.exp, whose last bit differs between engines): the same bits everywhere.
 */

/** ln 2 cut to 32 fraction bits, 2977044471·2^-32: k·LN2_HIGH is exact for |k| < 2^21. */
const LN2_HIGH = 0.6931471803691238;
/** ln 2 - LN2_HIGH, rounded once. */
const LN2_LOW = 1.9082149292705877e-10;
const TWO_OVER_SQRT_PI = 1.1283791670955126;

/** 1/n! for n = 0 … 13; |r| ≤ 0.347 leaves a remainder below 5e-18. */
const INVERSE_FACTORIALS = /* @__PURE__ */ inverseFactorials(13);

function inverseFactorials(last: number): Float64Array {
  const inverses = new Float64Array(last + 1);
  let factorial = 1;
  for (let n = 0; n <= last; n += 1) {
    if (n > 0) factorial *= n;
    inverses[n] = 1 / factorial;
  }
  return inverses;
}

/** 2^k for k = -1074 … 1023 at index k + 1074, by exact doubling and halving. */
const POWERS_OF_TWO = /* @__PURE__ */ powersOfTwo();

function powersOfTwo(): Float64Array {
  const powers = new Float64Array(1074 + 1024);
  let up = 1;
  for (let k = 0; k <= 1023; k += 1, up *= 2) powers[k + 1074] = up;
  let down = 1;
  for (let k = 0; k >= -1074; k -= 1, down *= 0.5) powers[k + 1074] = down;
  return powers;
}

/** 2^k, k an integer in -1074 … 1023, exact. */
export function powerOfTwo(k: number): number {
  const power = POWERS_OF_TWO[k + 1074];
  if (power === undefined) throw new RangeError(`2^${k} is no finite double`);
  return power;
}

/**
 * e^x, relative error below 1e-15 for results in the normal range (largest seen against `Math.exp`: 2.3e-16).
 *
 * x = k·ln 2 + r with |r| ≤ ln 2 / 2; Taylor polynomial of degree 13 in r; times 2^k, exactly.
 */
export function exp(x: number): number {
  // Beyond these the result rounds to Infinity or 0.
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.1332191019412) return 0;
  if (Number.isNaN(x)) return x;
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = INVERSE_FACTORIALS[13] as number;
  for (let n = 12; n >= 0; n -= 1) sum = sum * r + (INVERSE_FACTORIALS[n] as number);
  // Two factors where 2^k alone is no normal double; the last multiplication is the only one that can round.
  if (k > 1023) return sum * 2 * (POWERS_OF_TWO[k - 1 + 1074] as number);
  if (k < -1000) return sum * (POWERS_OF_TWO[k + 100 + 1074] as number) * (POWERS_OF_TWO[-100 + 1074] as number);
  return sum * (POWERS_OF_TWO[k + 1074] as number);
}

/** Expansion points of erf lie 1/8 apart on 0 … 6; beyond 6, erf rounds to 1. */
const ERF_STEPS_PER_UNIT = 8;
const ERF_LIMIT = 6;
/** Taylor coefficients per point; |h| ≤ 1/16 leaves a remainder below 2e-16. */
const ERF_TERMS = 14;

let erfTable: Float64Array | undefined;

/** erf by the all-positive series 2/√π·e^(-x²)·Σ 2^n·x^(2n+1)/(2n+1)!!, x ≥ 0. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-18; n += 1) {
    term = (term * 2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return TWO_OVER_SQRT_PI * exp(-x * x) * sum;
}

/**
 * Taylor coefficients of erf at each point c: a_0 = erf(c), a_1 = 2/√π·e^(-c²), and from erf'' = -2x·erf':
 * a_(n+1) = -2·(n·c·a_n + (n-1)·a_(n-1)) / (n·(n+1)).
 */
function buildErfTable(): Float64Array {
  const points = ERF_LIMIT * ERF_STEPS_PER_UNIT + 1;
  const table = new Float64Array(points * ERF_TERMS);
  for (let point = 0; point < points; point += 1) {
    const c = point / ERF_STEPS_PER_UNIT;
    const base = point * ERF_TERMS;
    table[base] = erfSeries(c);
    table[base + 1] = TWO_OVER_SQRT_PI * exp(-c * c);
    for (let n = 1; n < ERF_TERMS - 1; n += 1) {
      const a = table[base + n] as number;
      const before = n === 1 ? 0 : (table[base + n - 1] as number);
      table[base + n + 1] = (-2 * (n * c * a + (n - 1) * before)) / (n * (n + 1));
    }
  }
  return table;
}

/** The error function, absolute error below 1e-15. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const magnitude = x < 0 ? -x : x;
  if (magnitude >= ERF_LIMIT) return x < 0 ? -1 : 1;
  erfTable ??= buildErfTable();
  const table = erfTable;
  const point = Math.floor(magnitude * ERF_STEPS_PER_UNIT + 0.5);
  const h = magnitude - point / ERF_STEPS_PER_UNIT;
  const base = point * ERF_TERMS;
  let sum = table[base + ERF_TERMS - 1] as number;
  for (let n = ERF_TERMS - 2; n >= 0; n -= 1) sum = sum * h + (table[base + n] as number);
  return x < 0 ? -sum : sum;
}

/** GELU with erf: x·(1 + erf(x/√2))/2. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
}
