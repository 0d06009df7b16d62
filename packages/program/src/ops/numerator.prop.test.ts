import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundRun, type ChannelTerm, TERM_LIMIT, termInterval } from './numerator.js';

/** The definition, in exact integers of any width. */
function expected({ xLo, xHi, scale, factor, perRow, bias, k, shift }: ChannelTerm): unknown {
  const round = (p: bigint): bigint => {
    const unit = 1n << BigInt(shift);
    const floor = p >> BigInt(shift);
    const twice = 2n * (p - floor * unit);
    return twice > unit || (twice === unit && floor % 2n !== 0n) ? floor + 1n : floor;
  };
  const extra = BigInt(bias) << BigInt(k);
  const products = [xLo, xHi].flatMap((x) =>
    (perRow ? [factor, 16] : [factor]).map((f) => BigInt(x) * BigInt(scale) * BigInt(f)),
  );
  const sorted = [...products].sort((a, b) => Number(a > b) - Number(a < b));
  const [first = 0n, last = 0n] = [sorted[0], sorted[sorted.length - 1]];
  const widest = products.reduce((a, b) => ((b < 0n ? -b : b) > a ? (b < 0n ? -b : b) : a), 0n);
  const total = widest + (extra < 0n ? -extra : extra);
  if (total >= 1n << 62n) return total;
  return {
    lo: Number(round(first + extra)),
    hi: Number(round(last + extra)),
    bits: total === 0n ? 0 : total.toString(2).length,
  };
}

/** Integers of every size, the ends of int32 among them. */
const int32 = fc
  .tuple(fc.integer({ min: 0, max: 31 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
  .map(([drop, n]) => n >> drop);

const term: fc.Arbitrary<ChannelTerm> = fc
  .record({
    ends: fc.tuple(int32, int32),
    scale: int32.map((n) => Math.max(n, 1 - 2 ** 31)),
    code: fc.integer({ min: 0, max: 255 }),
    perRow: fc.boolean(),
    bias: int32,
    k: fc.integer({ min: 0, max: 62 }),
    shift: fc.integer({ min: 0, max: 62 }),
  })
  .map(({ ends, scale, code, perRow, bias, k, shift }) => ({
    xLo: Math.min(...ends),
    xHi: Math.max(...ends),
    scale,
    factor: perRow ? (16 + (code & 15)) * 2 ** (code >> 4) : 1,
    perRow,
    bias: perRow ? bias : 0,
    k: perRow ? k : 0,
    shift,
  }));

describe('termInterval', () => {
  it('is exact for numerators of every width', () => {
    fc.assert(
      fc.property(term, (one) => {
        expect(termInterval(one)).toEqual(expected(one));
      }),
      { numRuns: 3000 },
    );
  });

  it('is exact where numbers stop being so, and stops at 2^62', () => {
    const around = [-2, -1, 0, 1, 2];
    for (const shift of [0, 1, 31, 52, 53, 54, 61, 62]) {
      for (const by of around) {
        const base = { xLo: 0, perRow: false, factor: 1, shift };
        // x·scale + bias·2^k next to 2^53 and next to 2^62.
        const atNumber = { ...base, xHi: 2 ** 30, scale: 2 ** 23 - 1, bias: 2 ** 30 + by, k: 0 };
        const atLimit = { ...base, xHi: 2 ** 31 - 1, scale: 2 ** 31 - 1, bias: 2 ** 30 + by, k: 2 };
        for (const one of [atNumber, { ...atNumber, scale: -atNumber.scale, bias: -atNumber.bias }, atLimit]) {
          expect(termInterval(one)).toEqual(expected(one));
        }
      }
    }
    expect(
      termInterval({ xLo: 0, xHi: 2 ** 31 - 1, scale: 1, factor: 1, perRow: false, bias: 1, k: 62, shift: 0 }),
    ).toBe(2n ** 62n + 2n ** 31n - 1n);
  });
});

const INT32 = { lo: -(2 ** 31), hi: 2 ** 31 - 1 };

/** What a run of these channels must give, from the exact interval of each. */
function expectedRun(terms: readonly ChannelTerm[], z: number, addend: { lo: number; hi: number }): unknown {
  const lo: number[] = [];
  const hi: number[] = [];
  let bits = 0;
  for (const [channel, term] of terms.entries()) {
    const interval = termInterval(term);
    if (typeof interval === 'bigint') return { channel, reach: interval };
    const beyond = [interval.lo, interval.hi].find((end) => Math.abs(end) > TERM_LIMIT);
    if (beyond !== undefined) return { channel, reach: beyond };
    lo.push(Math.min(Math.max(interval.lo + addend.lo + z, INT32.lo), INT32.hi));
    hi.push(Math.min(Math.max(interval.hi + addend.hi + z, INT32.lo), INT32.hi));
    bits = Math.max(bits, interval.bits);
  }
  return { lo, hi, bits };
}

function actualRun(terms: readonly ChannelTerm[], z: number, addend: { lo: number; hi: number }): unknown {
  const [first] = terms;
  if (first === undefined) throw new RangeError('no channel');
  const lo = new Int32Array(terms.length);
  const hi = new Int32Array(terms.length);
  const bits = boundRun(
    {
      // Sources the other way round, so that `channels` matters.
      xLo: Int32Array.from(terms.toReversed(), (term) => term.xLo),
      xHi: Int32Array.from(terms.toReversed(), (term) => term.xHi),
      channels: Int32Array.from(terms, (_, j) => terms.length - 1 - j),
      m: Int32Array.from(terms, (term) => term.scale),
      e: Uint8Array.from(terms, (term) => term.shift),
      z: Int32Array.of(z),
      bias: first.perRow ? Int32Array.from(terms, (term) => term.bias) : undefined,
      k: first.k,
      factor: first.factor,
      perRow: first.perRow,
      addend,
      range: INT32,
    },
    lo,
    hi,
  );
  return typeof bits === 'number' ? { lo: [...lo], hi: [...hi], bits } : bits;
}

describe('boundRun', () => {
  it('gives what the exact intervals of the channels give', () => {
    const addend = fc.tuple(int32, int32).map(([a, b]) => ({ lo: Math.min(a, b), hi: Math.max(a, b) }));
    const runs = fc.array(term, { minLength: 1, maxLength: 4 }).map((terms) =>
      // One factor, kind and k for all.
      terms.map((one) => ({ ...one, ...(({ factor, perRow, k }) => ({ factor, perRow, k }))(terms[0] ?? one) })),
    );
    const plain = runs.map((terms) => terms.map((one) => (one.perRow ? one : { ...one, bias: 0 })));
    fc.assert(
      fc.property(plain, int32, addend, (terms, z, added) => {
        expect(actualRun(terms, z, added)).toEqual(expectedRun(terms, z, added));
      }),
      { numRuns: 3000 },
    );
  });

  it('is exact next to 2^53 and reports the first channel beyond 2^52 or 2^62', () => {
    const base = { xLo: 0, factor: 1, perRow: false, k: 0, bias: 0 };
    for (const scale of [2 ** 22, 2 ** 22 + 1, 2 ** 23 - 1, 2 ** 23, -(2 ** 23)]) {
      for (const shift of [0, 1, 2, 53, 54]) {
        const terms = [
          { ...base, xHi: 3, scale: 5, shift: 1 },
          { ...base, xHi: 2 ** 30, scale, shift },
        ];
        expect(actualRun(terms, 0, { lo: 0, hi: 0 })).toEqual(expectedRun(terms, 0, { lo: 0, hi: 0 }));
      }
    }
  });
});
