import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundary, floorDiv, rneDiv } from '../test/exact.js';
import { bitLength, divFloor, divRne, rneShift, saturate } from './integer.js';
import { INVERSE_POW2, MAX_POWER, POW2 } from './powers.js';

const SAFE = boundary(53).filter((value) => Math.abs(value) < 2 ** 53);

describe('divFloor', () => {
  it('is the floor on all pairs of boundary values', () => {
    let pairs = 0;
    for (const a of SAFE) {
      for (const b of SAFE) {
        if (b === 0) continue;
        const want = floorDiv(BigInt(a), BigInt(b));
        if (BigInt(divFloor(a, b)) !== want) expect([a, b, divFloor(a, b)]).toEqual([a, b, Number(want)]);
        pairs += 1;
      }
    }
    expect(pairs).toBeGreaterThan(200_000);
  });

  it('is the floor next to every multiple of the divisor', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), fc.double({ min: 0, max: 1, noNaN: true }), (b, share) => {
        const q = Math.floor(share * Math.floor((2 ** 53 - 2) / b));
        for (const a of [q * b - 1, q * b, q * b + 1]) {
          expect(BigInt(divFloor(a, b))).toBe(floorDiv(BigInt(a), BigInt(b)));
          expect(BigInt(divFloor(-a, b))).toBe(floorDiv(BigInt(-a), BigInt(b)));
          expect(BigInt(divFloor(a, -b))).toBe(floorDiv(BigInt(a), BigInt(-b)));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('divRne', () => {
  it('rounds to nearest even on boundary values and half-way points', () => {
    for (const n of boundary(51).filter((value) => value > 0 && value < 2 ** 51)) {
      for (const s of boundary(51).filter((value) => Math.abs(value) < 2 ** 51)) {
        const want = Number(rneDiv(BigInt(s), BigInt(n)));
        if (divRne(s, n) !== want) expect([s, n, divRne(s, n)]).toEqual([s, n, want]);
      }
    }
    for (let n = 2; n <= 400; n += 2) {
      for (let q = -50; q <= 50; q++) {
        for (const s of [q * n + n / 2 - 1, q * n + n / 2, q * n + n / 2 + 1]) {
          expect(BigInt(divRne(s, n))).toBe(rneDiv(BigInt(s), BigInt(n)));
        }
      }
    }
  });
});

describe('rneShift', () => {
  it('rounds to nearest even for every shift on boundary values and ties', () => {
    let ties = 0;
    for (let e = 0; e <= 62; e++) {
      const half = e === 0 ? 0 : 2 ** (e - 1);
      const points = [...SAFE];
      for (let q = -9; q <= 9; q++) {
        for (const d of [-1, 0, 1]) points.push(q * 2 * half + half + d);
      }
      for (const p of points) {
        if (Math.abs(p) >= 2 ** 53) continue;
        const want = Number(rneDiv(BigInt(p), 1n << BigInt(e)));
        const got = rneShift(p, e);
        if (got !== want) expect([p, e, got]).toEqual([p, e, want]);
        if (e > 0 && (BigInt(p) & ((1n << BigInt(e)) - 1n)) === 1n << BigInt(e - 1)) ties += 1;
      }
    }
    expect(ties).toBeGreaterThan(1000);
  });

  it('rejects shifts outside 0 … 62', () => {
    for (const e of [-1, 63, 0.5, Number.NaN]) {
      expect(() => rneShift(1, e)).toThrowError(expect.objectContaining({ name: 'RangeError', code: 'E_DYADIC' }));
    }
  });
});

describe('bitLength, saturate, powers', () => {
  it('counts bits up to 2^53', () => {
    for (const n of SAFE) if (n >= 0) expect(bitLength(n)).toBe(n === 0 ? 0 : BigInt(n).toString(2).length);
  });

  it('clamps', () => {
    expect([-129, -128, 0, 127, 128].map((x) => saturate(x, -128, 127))).toEqual([-128, -128, 0, 127, 127]);
  });

  it('holds exact powers', () => {
    expect(POW2).toHaveLength(MAX_POWER + 1);
    expect(INVERSE_POW2).toHaveLength(MAX_POWER + 1);
    for (let i = 0; i <= MAX_POWER; i++) {
      expect(POW2[i]).toBe(2 ** i);
      expect(INVERSE_POW2[i]).toBe(2 ** -i);
    }
  });
});
