import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INT32_BOUNDARY, rneDiv } from '../test/exact.js';
import { requantizeExact, requantizeOne, requantizeRowOne, requantizeSum, requantizeSumExact } from './requantize.js';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const exponent = fc.integer({ min: 0, max: 62 });
/** A multiplier whose product with x lies at or next to a tie of the shift e, when there is one. */
const near = fc.tuple(int32, exponent, fc.integer({ min: -3, max: 3 }));

function one(x: number, m: number, e: number): number {
  return Number(rneDiv(BigInt(x) * BigInt(m), 1n << BigInt(e)));
}

describe('requantizeOne', () => {
  it('is exact on all triples of boundary values', () => {
    let cases = 0;
    for (const x of INT32_BOUNDARY) {
      for (const m of INT32_BOUNDARY) {
        const p = BigInt(x) * BigInt(m);
        for (const e of [0, 1, 2, 5, 9, 10, 11, 12, 16, 30, 31, 32, 33, 34, 47, 52, 53, 54, 55, 61, 62]) {
          const want = Number(rneDiv(p, 1n << BigInt(e)));
          const got = requantizeOne(x, m, e);
          const exact = requantizeExact(x, m, 0, 0, 0, e);
          if (got !== want || exact !== want) expect([x, m, e, got, exact]).toEqual([x, m, e, want, want]);
          cases += 1;
        }
      }
    }
    expect(cases).toBeGreaterThan(1_500_000);
  });

  it('is exact on random and on constructed half-way operands', () => {
    fc.assert(
      fc.property(int32, int32, exponent, (x, m, e) => {
        expect(requantizeOne(x, m, e)).toBe(one(x, m, e));
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(near, ([x, e, d]) => {
        // m = odd multiple of 2^(e-1) over x, moved by d: products around ties
        const target = 2 ** Math.max(0, e - 1);
        const m = Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.round(target / (x === 0 ? 1 : x)) + d));
        expect(requantizeOne(x, m, e)).toBe(one(x, m, e));
      }),
      { numRuns: 5000 },
    );
  });

  it('breaks wide ties to even', () => {
    for (let e = 33; e <= 61; e++) {
      // (2q+1)·2^(e-1) as a product of two int32
      for (const q of [0, 1, 2, 3]) {
        const a = Math.min(30, e - 1);
        const x = 2 ** a;
        const m = (2 * q + 1) * 2 ** (e - 1 - a);
        if (m >= 2 ** 31) continue;
        const want = q % 2 === 0 ? q : q + 1;
        expect(requantizeOne(x, m, e)).toBe(want);
        expect(requantizeOne(-x, m, e) + 0).toBe(-want + 0);
      }
    }
  });
});

describe('requantizeRowOne', () => {
  function want(x: number, f: number, E: number, m: number, bias: number, k: number, e: number): bigint | null {
    const p = BigInt(x) * BigInt(f) * BigInt(m) * (1n << BigInt(E)) + BigInt(bias) * (1n << BigInt(k));
    const limit = 1n << 62n;
    return p < limit && p > -limit ? rneDiv(p, 1n << BigInt(e)) : null;
  }

  it('is exact wherever the numerator is below 2^62', () => {
    let checked = 0;
    const xs = fc.oneof(
      fc.integer({ min: -69273666, max: 69273666 }),
      fc.constantFrom(...INT32_BOUNDARY.filter((v) => Math.abs(v) <= 69273666)),
    );
    const ms = fc.oneof(int32, fc.constantFrom(...INT32_BOUNDARY), fc.integer({ min: -(2 ** 20), max: 2 ** 20 }));
    fc.assert(
      fc.property(
        xs,
        fc.integer({ min: 16, max: 31 }),
        fc.integer({ min: 0, max: 15 }),
        ms,
        ms,
        fc.integer({ min: 0, max: 62 }),
        exponent,
        (x, f, E, m, bias, k, e) => {
          for (const shift of [k, k % 24]) {
            const exact = want(x, f, E, m, bias, shift, e);
            if (exact === null) continue;
            checked += 1;
            expect(requantizeRowOne(x, f, E, m, bias, shift, e)).toBe(Number(exact));
            expect(requantizeExact(x * f, m, E, bias, shift, e)).toBe(Number(exact));
          }
        },
      ),
      { numRuns: 20000 },
    );
    expect(checked).toBeGreaterThan(10000);
  });
});

describe('requantizeSum', () => {
  it('is exact where one term is beyond 2^53 and the sum is not', () => {
    expect(requantizeSum(-865, -2137076860, 0, -102175067, 705381310, 3)).toBe(-9007199254740821);
  });

  it('adds two rounded terms exactly, huge ones of opposite sign included', () => {
    fc.assert(
      fc.property(int32, int32, exponent, int32, int32, exponent, (x, m, e, a, ma, ea) => {
        const exact = rneDiv(BigInt(x) * BigInt(m), 1n << BigInt(e)) + rneDiv(BigInt(a) * BigInt(ma), 1n << BigInt(ea));
        const got = requantizeSum(x, m, e, a, ma, ea);
        if (exact < 1n << 53n && exact > -(1n << 53n)) expect(got).toBe(Number(exact));
        else expect(Math.sign(got) * Math.min(Math.abs(got), 2 ** 52)).toBe(exact > 0n ? 2 ** 52 : -(2 ** 52));
      }),
      { numRuns: 5000 },
    );
    let cancelled = 0;
    const near31 = fc.integer({ min: 2 ** 31 - 5000, max: 2 ** 31 - 1 });
    const small = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(
        near31,
        near31,
        small,
        fc.integer({ min: -4, max: 4 }),
        fc.integer({ min: -4, max: 4 }),
        (x, m, e, dx, dm) => {
          const a = Math.min(x + dx, 2 ** 31 - 1);
          const ma = -Math.min(m + dm, 2 ** 31 - 1);
          for (const ea of [e, e + 1]) {
            const exact =
              rneDiv(BigInt(x) * BigInt(m), 1n << BigInt(e)) + rneDiv(BigInt(a) * BigInt(ma), 1n << BigInt(ea));
            if (exact >= 1n << 53n || exact <= -(1n << 53n)) continue;
            cancelled += 1;
            expect(requantizeSum(x, m, e, a, ma, ea)).toBe(Number(exact));
            expect(requantizeSumExact(x, m, 0, 0, 0, e, a, ma, ea)).toBe(Number(exact));
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(cancelled).toBeGreaterThan(1000);
  });
});
