/**
 * Which kernel computes int8 × int8 products here. Relaxed SIMD may mean different things on different machines; it is used
 * only where a probe finds one of three meanings that are exact, and where it wins a short race.
 */
import type { Relaxed } from './plan/stage.js';
import type { TrialProduct } from './product-trial.js';

/**
 * How the machine reads the second operand of the relaxed dot product: exactly in two ways, as signed and exact where the first
 * holds no -128, or otherwise.
 */
export type Verdict = 'signed' | 'unsigned' | 'signed-127' | 'inexact';

export interface Choice {
  /** Undefined: the int16 kernel. */
  readonly relaxed: Relaxed | undefined;
  /** Undefined where the engine has no relaxed SIMD, or the module was not given. */
  readonly verdict: Verdict | undefined;
  /** Products in a millisecond, best slice of each kernel; there where they raced. */
  readonly race?: { readonly int16: number; readonly relaxed: number };
}

/** Why something that could serve is not used: `feature:reason`. The command says it in a sentence. */
export type Declined =
  | 'relaxed-simd:unsupported'
  | 'relaxed-simd:no-module'
  | 'relaxed-simd:inexact'
  | 'relaxed-simd:slower'
  | 'relaxed-simd:not-with-128'
  | 'threads:no-shared-memory'
  | 'threads:not-isolated'
  | 'threads:no-workers'
  | 'threads:one-core'
  | 'threads:asked';

/** @param given whether there is a module, so that a choice without a verdict is the engine's doing */
export function declinedRelaxed({ relaxed, verdict }: Choice, given: boolean): readonly Declined[] {
  if (relaxed !== undefined) return relaxed.least === -128 ? [] : ['relaxed-simd:not-with-128'];
  if (verdict === undefined) return [given ? 'relaxed-simd:unsupported' : 'relaxed-simd:no-module'];
  return [verdict === 'inexact' ? 'relaxed-simd:inexact' : 'relaxed-simd:slower'];
}

/** What is asked of a product: see product-trial.ts. */
export interface Trial {
  load(product: TrialProduct, relaxed: Relaxed | undefined): void;
  run(): void;
  sums(): Int32Array;
}

/** What is probed for, the widest first. */
export const MEANINGS: readonly { readonly relaxed: Relaxed; readonly verdict: Exclude<Verdict, 'inexact'> }[] = [
  { relaxed: { flip: 0, least: -128 }, verdict: 'signed' },
  { relaxed: { flip: 128, least: -128 }, verdict: 'unsigned' },
  { relaxed: { flip: 0, least: -127 }, verdict: 'signed-127' },
];

export const INT16_ONLY: Choice = { relaxed: undefined, verdict: undefined };

/**
 * Milliseconds of a slice, and slices of each kernel: 3 ms in all. The best slice counts; short ones are seldom all interrupted,
 * and clocks of browsers have steps of 0.1 ms.
 */
const SLICE = 0.25;
const SLICES = 6;
/** Ends a slice where the clock stands still. */
const MOST_RUNS = 100;

/** Fours of bytes in which extremes stand in every order: what saturates or takes the wrong sign shows in one of them. */
function extremes(): Int8Array {
  return Int8Array.from({ length: 32 * 4 }, (_, i) => {
    const high = ((i >> 2) >> (i & 3)) & 1;
    return i < 64 ? high * 255 - 128 : high * 2 - 1;
  });
}

/** Repeatable bytes over all of int8. */
function mixed(count: number): Int8Array {
  let state = 1;
  return Int8Array.from({ length: count }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return state >> 24;
  });
}

function product(rows: number, k: number, columns: number, x: Int8Array, w: Int8Array, bias: number): TrialProduct {
  return { rows, k, columns, x, w, bias: new Int32Array((columns + 7) & ~7).fill(bias) };
}

/**
 * All pairs of extremes, with sums that wrap; and tiles, a part of one, and a k that is no multiple of anything.
 *
 * @param least of the right side's entries
 */
export function probeProducts(least: Relaxed['least'] = -128): readonly TrialProduct[] {
  const ends = extremes();
  const right = (bytes: Int8Array): Int8Array => bytes.map((byte) => Math.max(byte, least));
  return [
    product(32, 4, 32, ends, right(ends), 0),
    product(16, 4, 16, ends, right(ends), 2147483647),
    product(7, 37, 9, mixed(7 * 37), right(mixed(9 * 37).reverse()), -5),
  ];
}

/** Whether every sum is the plain integer sum modulo 2^32. */
export function isExact(trial: Trial, products: readonly TrialProduct[], relaxed: Relaxed): boolean {
  return products.every((each) => {
    const { rows, k, columns, x, w, bias } = each;
    trial.load(each, relaxed);
    trial.run();
    const sums = trial.sums();
    for (let r = 0; r < rows; r++) {
      for (let n = 0; n < columns; n++) {
        let sum = bias[n] as number;
        for (let i = 0; i < k; i++) sum += (x[r * k + i] as number) * (w[n * k + i] as number);
        if (sums[r * columns + n] !== (sum | 0)) return false;
      }
    }
    return true;
  });
}

/** Products in a millisecond, in one slice of time; undefined where the clock stands still. */
function rate(trial: Trial, now: () => number): number | undefined {
  const start = now();
  let runs = 0;
  let spent = 0;
  while (spent < SLICE && runs < MOST_RUNS) {
    trial.run();
    runs += 1;
    spent = now() - start;
  }
  return spent > 0 ? runs / spent : undefined; // float-ok: a measured speed
}

/** Both kernels in turns on one product as large as a unit's. */
function race(trial: Trial, relaxed: Relaxed, now: () => number): { int16: number; relaxed: number } {
  const best = { int16: 0, relaxed: 0 };
  const one = product(24, 192, 64, mixed(24 * 192), mixed(64 * 192), 0);
  for (let slice = 0; slice < SLICES; slice++) {
    trial.load(one, undefined);
    best.int16 = Math.max(best.int16, rate(trial, now) ?? 0);
    trial.load(one, relaxed);
    best.relaxed = Math.max(best.relaxed, rate(trial, now) ?? 0);
  }
  return best;
}

/**
 * Probes, races, and probes again: the race makes engines compile what they run a second time, and the second code must mean
 * the same as the first (V8 11.3 has two meanings).
 *
 * @param now milliseconds
 */
export function selectProduct(trial: Trial, now: () => number): Choice {
  const found = MEANINGS.find(({ relaxed }) => isExact(trial, probeProducts(relaxed.least), relaxed));
  if (found === undefined) return { relaxed: undefined, verdict: 'inexact' };
  const { relaxed, verdict } = found;
  const speeds = race(trial, relaxed, now);
  if (!isExact(trial, probeProducts(relaxed.least), relaxed)) return { relaxed: undefined, verdict: 'inexact' };
  // gemm-strassen.ts would run instead of the int16 kernel in places: it saves one product of eight, and not more.
  return { relaxed: 8 * speeds.int16 > 7 * speeds.relaxed ? undefined : relaxed, verdict, race: speeds };
}
