/**
 * Rounding products of up to 62 bits without BigInt.
 *
 * Formula: rne(p / 2^e), p = x·m (or the row-dynamic numerator), |p| < 2^62, 0 ≤ e ≤ 62; nearest, ties to even.
 * Three ways, the first that applies:
 * 1. |x·m| < 2^53: the product is exact in a double (a rounded product below 2^53 is an exact one), then `rneShift`.
 * 2. Filtered: approximate in a double, keep the answer when it is provably on the right side of every tie.
 * 3. Exact: p = high·2^32 + low in two doubles, 0 ≤ low < 2^32.
 *
 * Results beyond ±2^53 (only for e < 10) come back rounded to a double; callers clamp them anyway.
 */
import { rneShift } from './integer.js';
import { INVERSE_POW2, POW2 } from './powers.js';

const TWO_16 = 65536;
const INVERSE_TWO_16 = 0.0000152587890625;
const TWO_32 = 4294967296;
const INVERSE_TWO_32 = 2.3283064365386963e-10; // 2^-32
const TWO_52 = 4503599627370496;
const TWO_53 = 9007199254740992;

/** `rne((high·2^32 + low) / 2^e)`, |high| ≤ 2^53, 0 ≤ low < 2^32, 0 ≤ e ≤ 62. */
export function rneShiftPair(high: number, low: number, e: number): number {
  if (e === 0) return high * TWO_32 + low;
  if (e <= 32) {
    const whole = high * (POW2[32 - e] as number);
    const part = Math.floor(low * (INVERSE_POW2[e] as number)); // < 2^31; 0 when e = 32
    const rest = low - part * (POW2[e] as number);
    const half = POW2[e - 1] as number;
    if (rest < half) return whole + part;
    if (rest > half) return whole + (part + 1);
    // A tie: for e < 32 `whole` is even, so `part` decides; for e = 32 part is 0 and `whole` decides.
    const parity = e === 32 ? whole : part;
    return parity - 2 * Math.floor(parity * 0.5) === 0 ? whole + part : whole + (part + 1);
  }
  const q = Math.floor(high * (INVERSE_POW2[e - 32] as number)); // exact: only the exponent changes
  const rest = high - q * (POW2[e - 32] as number); // 0 <= rest < 2^(e-32)
  const half = POW2[e - 33] as number;
  if (rest < half) return q;
  if (rest > half || low > 0) return q + 1;
  return q - 2 * Math.floor(q * 0.5) === 0 ? q : q + 1;
}

/** Low word of the last {@link numeratorHigh}: a second return value that costs no allocation. */
let lowWord = 0;

/**
 * High word of `x·m·2^shift + bias·2^k` = high·2^32 + {@link lowWord}, 0 ≤ lowWord < 2^32.
 * |x| ≤ 2^31, |m| ≤ 2^31, 0 ≤ shift ≤ 15, |bias| ≤ 2^31, 0 ≤ k ≤ 62.
 *
 * x·m = h·2^16 + l with |h| < 2^48, 0 ≤ l < 2^16; times 2^shift it is
 * floor(h·2^(shift-16))·2^32 + (the fraction of h·2^(shift-16))·2^32 + l·2^shift; each step is a scaling by a power of
 * two, a floor, or a sum below 2^53, hence exact. The bias is split the same way.
 */
function numeratorHigh(x: number, m: number, shift: number, bias: number, k: number): number {
  const lowProduct = x * (m & 0xffff); // |.| < 2^47
  const carried = Math.floor(lowProduct * INVERSE_TWO_16);
  const scaled = (x * (m >> 16) + carried) * ((POW2[shift] as number) * INVERSE_TWO_16);
  let high = Math.floor(scaled);
  let low = (scaled - high) * TWO_32 + (lowProduct - carried * TWO_16) * (POW2[shift] as number); // < 2^32 + 2^31
  if (bias !== 0) {
    const scaledBias = bias * ((POW2[k] as number) * INVERSE_TWO_32);
    const biasHigh = Math.floor(scaledBias);
    high += biasHigh;
    low += (scaledBias - biasHigh) * TWO_32;
  }
  const carry = Math.floor(low * INVERSE_TWO_32);
  lowWord = low - carry * TWO_32;
  return high + carry;
}

/**
 * `rne((x·m·2^shift + bias·2^k) / 2^e)`, exact, the slow path: |x| ≤ 2^31, |m| ≤ 2^31, |numerator| ≤ 2^62, 0 ≤ shift ≤ 15,
 * 0 ≤ k ≤ 62, |bias| ≤ 2^31, 0 ≤ e ≤ 62.
 */
export function requantizeExact(x: number, m: number, shift: number, bias: number, k: number, e: number): number {
  const high = numeratorHigh(x, m, shift, bias, k);
  return rneShiftPair(high, lowWord, e);
}

/**
 * `rne(x·m / 2^e)`, exact. |x| ≤ 2^31, |m| ≤ 2^31, integer 0 ≤ e ≤ 62.
 * Results above 2^53 in absolute value (possible for e < 10 only) are rounded to a double.
 */
export function requantizeOne(x: number, m: number, e: number): number {
  const p = x * m;
  if (p < TWO_53 && p > -TWO_53) return rneShift(p, e);
  return requantizeExact(x, m, 0, 0, 0, e);
}

/**
 * `rne((x·f·m·2^E + bias·2^k) / 2^e)`: one element of the row-dynamic `requantize`, exact.
 * |x·f| ≤ 2^31, f 16 … 31, 0 ≤ E ≤ 15, |m| ≤ 2^31, |bias| ≤ 2^31, 0 ≤ k ≤ 62, 0 ≤ e ≤ 62, |numerator| < 2^62.
 */
export function requantizeRowOne(
  x: number,
  f: number,
  E: number,
  m: number,
  bias: number,
  k: number,
  e: number,
): number {
  const product = x * f * m * (POW2[E] as number);
  const shiftedBias = bias * (POW2[k] as number);
  // Both below 2^52 in absolute value: every step, their sum included, was exact.
  if (product < TWO_52 && product > -TWO_52 && shiftedBias < TWO_52 && shiftedBias > -TWO_52) {
    return rneShift(product + shiftedBias, e);
  }
  return requantizeExact(x * f, m, E, bias, k, e);
}

/**
 * `rne((x·m·2^shift + bias·2^k)/2^e) + rne(a·ma/2^ea)`, exact whenever the sum is below 2^53 in absolute value, also when
 * the terms are not (huge terms of opposite sign). A larger sum keeps its sign and stays beyond 2^52, so it saturates
 * rightly. Slow path; ranges as in {@link requantizeExact}.
 */
export function requantizeSumExact(
  x: number,
  m: number,
  shift: number,
  bias: number,
  k: number,
  e: number,
  a: number,
  ma: number,
  ea: number,
): number {
  const high = numeratorHigh(x, m, shift, bias, k);
  const low = lowWord;
  const first = rneShiftPair(high, low, e);
  const second = requantizeOne(a, ma, ea);
  const firstSmall = first < TWO_52 && first > -TWO_52;
  const secondSmall = second < TWO_52 && second > -TWO_52;
  if (firstSmall && secondSmall) return first + second;
  // A term beyond 2^52 has e ≤ 10 and is split: a multiple of 2^22 up to 2^62, and a rest below 2^33. Then both sums of
  // parts are exact, and so is their sum below 2^53.
  let coarse = 0;
  let fine = 0;
  if (firstSmall) fine += first;
  else {
    coarse += high * (POW2[32 - e] as number);
    fine += rneShift(low, e);
  }
  if (secondSmall) fine += second;
  else {
    coarse += numeratorHigh(a, ma, 0, 0, 0) * (POW2[32 - ea] as number);
    fine += rneShift(lowWord, ea);
  }
  return coarse + fine;
}

/** `rne(x·m/2^e) + rne(a·ma/2^ea)`, with the exactness of {@link requantizeSumExact}. */
export function requantizeSum(x: number, m: number, e: number, a: number, ma: number, ea: number): number {
  const first = requantizeOne(x, m, e);
  const second = requantizeOne(a, ma, ea);
  if (first < TWO_52 && first > -TWO_52 && second < TWO_52 && second > -TWO_52) return first + second;
  return requantizeSumExact(x, m, 0, 0, 0, e, a, ma, ea);
}
