import { powerOfTwo } from '@ivit/models';
import { roundHalfEven } from '@ivit/nonlinear/convert';

export function magnitude(x: number): number {
  return x < 0 ? -x : x;
}

/** Largest |x| of an array. */
export function maxMagnitude(x: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < x.length; i += 1) {
    const size = magnitude(x[i] as number);
    if (size > largest) largest = size;
  }
  return largest;
}

export function largestOf(x: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < x.length; i += 1) if ((x[i] as number) > largest) largest = x[i] as number;
  return largest;
}

/** 10·log10(signal/noise) in decibels, from + - × / alone; undefined when either is 0. */
export function decibels(signal: number, noise: number): number | undefined {
  if (!(signal > 0) || !(noise > 0)) return undefined;
  return (naturalLog(signal) - naturalLog(noise)) * TEN_OVER_LN_TEN;
}

const TEN_OVER_LN_TEN = 4.3429448190325175;
const SQRT_HALF = Math.SQRT1_2;

/** ln x for normal x > 0: x = f·2^k, f in (√½, √2], ln f = 2·artanh((f-1)/(f+1)) by its series. */
export function naturalLog(x: number): number {
  let k = 0;
  let f = x;
  while (f > 2 * SQRT_HALF) {
    f *= 0.5;
    k += 1;
  }
  while (f <= SQRT_HALF) {
    f *= 2;
    k -= 1;
  }
  const t = (f - 1) / (f + 1);
  const square = t * t;
  let power = t;
  let sum = 0;
  for (let n = 1; n <= 27; n += 2) {
    sum += power / n;
    power *= square;
  }
  return 2 * sum + k * Math.LN2;
}

export { powerOfTwo, roundHalfEven };
