import { describe, expect, it } from 'vitest';
import type { Relaxed } from './plan/stage.js';
import type { TrialProduct } from './product-trial.js';
import {
  type Choice,
  declinedRelaxed,
  INT16_ONLY,
  isExact,
  probeProducts,
  selectProduct,
  type Trial,
} from './select.js';

/** Two products of a pair of bytes, as a machine adds them. */
type Pair = (w0: number, x0: number, w1: number, x1: number) => number;

const asSigned: Pair = (w0, x0, w1, x1) => w0 * x0 + w1 * x1;
const asUnsigned: Pair = (w0, x0, w1, x1) => w0 * (x0 & 255) + w1 * (x1 & 255);
const saturating: Pair = (...pair) => Math.max(-32768, Math.min(32767, asUnsigned(...pair)));
const wrapping: Pair = (...pair) => (asSigned(...pair) << 16) >> 16;

/** A machine's kernels in plain code; k is filled up with zeros. */
class Machine implements Trial {
  runs = 0;
  /** How the relaxed kernel adds in its run of this number. */
  readonly #pairOf: (run: number) => Pair;
  readonly #clamps: boolean;
  #loaded: { readonly product: TrialProduct; readonly relaxed: Relaxed | undefined } | undefined;
  #sums = new Int32Array(0);

  constructor(pairOf: (run: number) => Pair, clamps = false) {
    this.#pairOf = pairOf;
    this.#clamps = clamps;
  }

  get relaxed(): boolean {
    return this.#loaded?.relaxed !== undefined;
  }

  load(product: TrialProduct, relaxed: Relaxed | undefined): void {
    this.#loaded = { product, relaxed };
  }

  run(): void {
    this.runs += 1;
    if (this.#loaded === undefined) throw new RangeError('nothing loaded');
    const { product, relaxed } = this.#loaded;
    const { rows, k, columns, x, w, bias } = product;
    if (rows > 20 && k > 100) return; // of the race: only its time counts
    const flip = relaxed?.flip ?? 0;
    const pair = relaxed === undefined ? asSigned : this.#pairOf(this.runs);
    const xAt = (r: number, i: number): number => (i < k ? (((x[r * k + i] ?? 0) ^ flip) << 24) >> 24 : 0);
    const wAt = (n: number, i: number): number => (i < k ? (w[n * k + i] ?? 0) : 0);
    this.#sums = new Int32Array(rows * columns);
    for (let r = 0; r < rows; r++) {
      for (let n = 0; n < columns; n++) {
        let sum = bias[n] ?? 0;
        for (let i = 0; i < k; i += 2) {
          sum += pair(wAt(n, i), xAt(r, i), wAt(n, i + 1), xAt(r, i + 1)) - flip * (wAt(n, i) + wAt(n, i + 1));
        }
        this.#sums[r * columns + n] = this.#clamps ? Math.max(-2147483648, Math.min(2147483647, sum)) : sum | 0;
      }
    }
  }

  sums(): Int32Array {
    return this.#sums;
  }
}

/** A clock in which one run of a kernel takes so long. */
function clock(machine: Machine, int16: number, relaxed: number): () => number {
  let time = 0;
  let seen = 0;
  return () => {
    time += (machine.runs - seen) * (machine.relaxed ? relaxed : int16);
    seen = machine.runs;
    return time;
  };
}

function choose(pair: Pair, int16 = 0.02, relaxed = 0.01): ReturnType<typeof selectProduct> {
  const machine = new Machine(() => pair);
  return selectProduct(machine, clock(machine, int16, relaxed));
}

describe('the probe', () => {
  it('takes a signed dot product as it is', () => {
    expect(choose(asSigned)).toMatchObject({ relaxed: { flip: 0, least: -128 }, verdict: 'signed' });
  });

  it('moves the activations of one that takes its second operand as unsigned', () => {
    expect(choose(asUnsigned)).toMatchObject({ relaxed: { flip: 128, least: -128 }, verdict: 'unsigned' });
  });

  it('allows only right sides without -128 where pairs of -128·-128 wrap', () => {
    const machine = new Machine(() => wrapping);
    expect(isExact(machine, probeProducts(), { flip: 0, least: -128 })).toBe(false);
    expect(choose(wrapping)).toMatchObject({ relaxed: { flip: 0, least: -127 }, verdict: 'signed-127' });
  });

  it('refuses the same where the second code wraps and the first does not, or where less would wrap', () => {
    const machine = new Machine((run) => (run < 50 ? asSigned : wrapping));
    expect(selectProduct(machine, clock(machine, 0.02, 0.01)).verdict).toBe('inexact');
    const narrow: Pair = (...pair) => (asSigned(...pair) << 17) >> 17;
    expect(choose(narrow)).toEqual({ relaxed: undefined, verdict: 'inexact' });
  });

  it('refuses one that saturates pairs or keeps 7 bits', () => {
    for (const pair of [saturating, (w0, x0, w1, x1) => asUnsigned(w0, x0 & 127, w1, x1 & 127)] as Pair[]) {
      expect(choose(pair)).toEqual({ relaxed: undefined, verdict: 'inexact' });
    }
  });

  it('refuses sums that saturate where the unsigned meaning needs them to wrap', () => {
    const machine = new Machine(() => asUnsigned, true);
    expect(isExact(machine, probeProducts(), { flip: 128, least: -128 })).toBe(false);
    expect(isExact(new Machine(() => asUnsigned), probeProducts(), { flip: 128, least: -128 })).toBe(true);
  });

  it('sees a wrong result for a single pair of extremes', () => {
    for (const [w, x, verdict] of [
      [-128, -128, 'signed-127'],
      [-128, 127, 'signed-127'],
      [127, -128, 'inexact'],
      [-1, -1, 'inexact'],
      [1, -1, 'inexact'],
    ] as const) {
      const off: Pair = (w0, x0, w1, x1) => asSigned(w0, x0, w1, x1) + (w1 === w && x1 === x ? 1 : 0);
      expect(choose(off).verdict).toBe(verdict);
    }
  });

  it('refuses an engine whose second code means something else than its first', () => {
    const machine = new Machine((run) => (run < 50 ? asSigned : saturating));
    expect(selectProduct(machine, clock(machine, 0.02, 0.01))).toEqual({ relaxed: undefined, verdict: 'inexact' });
  });
});

describe('the race', () => {
  it('is recorded, and takes a few milliseconds of the clock', () => {
    const machine = new Machine(() => asSigned);
    const now = clock(machine, 0.02, 0.01);
    const { race } = selectProduct(machine, now);
    expect(race?.int16).toBeCloseTo(50);
    expect(race?.relaxed).toBeCloseTo(100);
    expect(now()).toBeLessThan(10);
  });

  it('is lost by an exact kernel that is slower', () => {
    const choice = choose(asSigned, 0.01, 0.02);
    expect(choice).toMatchObject({ relaxed: undefined, verdict: 'signed' });
    expect(choice.race?.int16).toBeCloseTo(100);
  });

  it('is lost by one that gains less than the int16 kernel with fewer products could', () => {
    expect(choose(asSigned, 0.011, 0.01).relaxed).toBeUndefined();
    expect(choose(asSigned, 0.012, 0.01).relaxed).toBeDefined();
  });

  it('ends where the clock stands still, and then counts for nothing', () => {
    const machine = new Machine(() => asSigned);
    expect(selectProduct(machine, () => 7)).toEqual({
      relaxed: { flip: 0, least: -128 },
      verdict: 'signed',
      race: { int16: 0, relaxed: 0 },
    });
    expect(machine.runs).toBeLessThan(3000);
  });
});

describe('relaxed SIMD is declined', () => {
  it.each<[string, Choice, readonly string[]]>([
    ['not where it is used', choose(asSigned), []],
    ['where it is not exact', choose(saturating), ['relaxed-simd:inexact']],
    ['where it lost the race', choose(asSigned, 0.01, 0.02), ['relaxed-simd:slower']],
    ['in part where it is exact without -128', choose(wrapping), ['relaxed-simd:not-with-128']],
    ['where the engine does not know it', INT16_ONLY, ['relaxed-simd:unsupported']],
  ])('%s', (_, choice, expected) => {
    expect(declinedRelaxed(choice, true)).toEqual(expected);
  });

  it('where a module is given without it', () => {
    expect(declinedRelaxed(INT16_ONLY, false)).toEqual(['relaxed-simd:no-module']);
  });
});
