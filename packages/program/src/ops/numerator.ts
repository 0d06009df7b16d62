import { bitLength, POW2, rneShift, saturate } from '@ivit/dyadic';
import type { IntArray, Interval } from '../types.js';

/** The largest exact integer of the format's 64-bit intermediate: 2^62. */
const NUMERATOR_LIMIT = 1n << 62n;
/** Integers below it are exact as JS numbers: 2^53. */
const EXACT_LIMIT = 9007199254740992;
/** A rounded term above this could lose units where a backend adds in f64 (docs/spec, requantize). */
export const TERM_LIMIT: number = 2 ** 52;
/** Least row factor f·2^E. */
const LEAST_FACTOR = 16;

/** One channel's `rne((x·scale·f + bias·2^k) / 2^shift)`, all integers. */
export interface ChannelTerm {
  /** Interval of x, within int32. */
  readonly xLo: number;
  readonly xHi: number;
  readonly scale: number;
  /** 1, or the largest row factor f·2^E (at most 31·2^15). */
  readonly factor: number;
  /** Whether the factor may be as small as 16. */
  readonly perRow: boolean;
  readonly bias: number;
  readonly k: number;
  readonly shift: number;
}

export interface TermInterval {
  /** May be rounded where they are beyond 2^53, and with that beyond {@link TERM_LIMIT}. */
  readonly lo: number;
  readonly hi: number;
  /** Bits of the largest numerator |x·scale·f| + |bias·2^k|, at most 62. */
  readonly bits: number;
}

/** rne(p / 2^e) over the integers; check time only. */
function rne(p: bigint, e: number): bigint {
  if (e === 0) return p;
  const shift = BigInt(e);
  return (p + (1n << (shift - 1n)) - 1n + ((p >> shift) & 1n)) >> shift;
}

const magnitude = (n: bigint): bigint => (n < 0n ? -n : n);
const larger = (a: bigint, b: bigint): bigint => (a < b ? b : a);
const smaller = (a: bigint, b: bigint): bigint => (a > b ? b : a);

/** A channel's interval for numerators of any width; where one passes 2^62, that numerator. */
export function termInterval(term: ChannelTerm): TermInterval | bigint {
  const { xLo, xHi, factor, perRow, bias, k, shift } = term;
  const scale = BigInt(term.scale);
  const extra = BigInt(bias) << BigInt(k);
  // The largest factor gives the widest numerator of either sign; the smallest only matters where signs keep x from 0.
  const factors = perRow ? [BigInt(factor), BigInt(LEAST_FACTOR)] : [BigInt(factor)];
  const ends = factors.flatMap((f) => [BigInt(xLo) * scale * f, BigInt(xHi) * scale * f]);
  const wide = ends.map(magnitude).reduce(larger) + magnitude(extra);
  if (wide >= NUMERATOR_LIMIT) return wide;
  return {
    lo: Number(rne(ends.reduce(smaller) + extra, shift)),
    hi: Number(rne(ends.reduce(larger) + extra, shift)),
    bits: wide === 0n ? 0 : wide.toString(2).length,
  };
}

/** All channels of one requantize: arrays of one entry stand for every channel. */
export interface TermRun {
  readonly xLo: Int32Array;
  readonly xHi: Int32Array;
  /** Source channel of each result channel, where they are not the same. */
  readonly channels: IntArray | undefined;
  readonly m: IntArray;
  readonly e: IntArray;
  readonly z: IntArray;
  readonly bias: IntArray | undefined;
  readonly k: number;
  readonly factor: number;
  readonly perRow: boolean;
  /** Interval of the rounded addend. */
  readonly addend: Interval;
  /** Interval that results saturate to. */
  readonly range: Interval;
}

/** What keeps a run from being proved: a numerator of a channel, or a term where it is beyond {@link TERM_LIMIT}. */
export interface RunRefusal {
  readonly channel: number;
  readonly reach: bigint | number;
}

/**
 * Fills `lo` and `hi` with the saturated interval of each channel; returns the bits of the largest numerator.
 *
 * The loop runs a few times before the engine compiles it, so it calls little. Nearly every honest channel stays below 2^53,
 * where numbers do: a model has tens of thousands of channels, all of them proved before its first photo. Rounding is monotone and the factors are integers, so a magnitude that comes out below
 * 2^53 had no inexact step.
 */
export function boundRun(run: TermRun, lo: Int32Array, hi: Int32Array): number | RunRefusal {
  const { xLo, xHi, channels, m, e, z, bias, factor, addend, range } = run;
  const least = run.perRow ? LEAST_FACTOR : factor;
  const unit = POW2[run.k] as number;
  let widest = 0;
  let bits = 0;
  for (let j = 0; j < lo.length; j++) {
    const source = xLo.length === 1 ? 0 : channels === undefined ? j : (channels[j] as number);
    const scale = m[m.length === 1 ? 0 : j] as number;
    const shift = e[e.length === 1 ? 0 : j] as number;
    const offset = z[z.length === 1 ? 0 : j] as number;
    const extra = bias === undefined ? 0 : (bias[j] as number) * unit;
    const atLo = (xLo[source] as number) * scale;
    const atHi = (xHi[source] as number) * scale;
    const low = atLo < atHi ? atLo : atHi;
    const high = atLo < atHi ? atHi : atLo;
    const wide = (-low < high ? high : -low) * factor + (extra < 0 ? -extra : extra);
    let termLo: number;
    let termHi: number;
    if (wide < EXACT_LIMIT) {
      if (wide > widest) widest = wide;
      termLo = rneShift(low * (low < 0 ? factor : least) + extra, shift);
      termHi = rneShift(high * (high < 0 ? least : factor) + extra, shift);
    } else {
      const term = termInterval(termAt(run, j, source));
      if (typeof term === 'bigint') return { channel: j, reach: term };
      ({ lo: termLo, hi: termHi } = term);
      bits = Math.max(bits, term.bits);
    }
    if (termLo < -TERM_LIMIT || termLo > TERM_LIMIT) return { channel: j, reach: termLo };
    if (termHi < -TERM_LIMIT || termHi > TERM_LIMIT) return { channel: j, reach: termHi };
    lo[j] = saturate(termLo + addend.lo + offset, range.lo, range.hi);
    hi[j] = saturate(termHi + addend.hi + offset, range.lo, range.hi);
  }
  return Math.max(bits, bitLength(widest));
}

function termAt(run: TermRun, j: number, source: number): ChannelTerm {
  const { m, e, bias, factor, perRow, k } = run;
  return {
    xLo: run.xLo[source] as number,
    xHi: run.xHi[source] as number,
    scale: m[m.length === 1 ? 0 : j] as number,
    factor,
    perRow,
    bias: bias === undefined ? 0 : (bias[j] as number),
    k,
    shift: e[e.length === 1 ? 0 : j] as number,
  };
}
