import type { RequantizeOp } from '@ivit/program';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type VectorForm, vectorForm } from './requantize-form.js';

const base = {
  op: 'requantize',
  result: 'y',
  x: { value: 'x' },
  m: 1,
  e: 0,
  z: 0,
  axis: 0,
  run: 0,
  to: 'i32',
} as const;

const rne = (p: bigint, e: number): bigint => {
  if (e === 0) return p;
  const shift = BigInt(e);
  return (p + (1n << (shift - 1n)) - 1n + ((p >> shift) & 1n)) >> shift;
};

/** The vector form's arithmetic, with the width of every step checked. */
function asVectors(x: number, m: number, form: VectorForm): bigint {
  const int32 = (n: bigint): bigint => {
    if (BigInt.asIntN(32, n) !== n) throw new Error(`${n} is no int32`);
    return n;
  };
  const product = int32(BigInt(x) << BigInt(form.xUp)) * int32(BigInt(m) << BigInt(form.mUp));
  const t = product + (1n << BigInt(31 + form.shift));
  if (BigInt.asIntN(63, t) !== t) throw new Error(`${t} is beyond 2^62`);
  const high = int32(t >> 32n);
  const y = high >> BigInt(form.shift);
  const tie = form.ties && form.shift === 0 && BigInt.asUintN(32, t) === 0n;
  return tie ? y - (y & 1n) : y;
}

const bitsOf = (n: bigint): number => (n === 0n ? 0 : n.toString(2).length);

describe('vectorForm', () => {
  it('gives the rounded quotient wherever it says that an op vectorizes', () => {
    let vectorized = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 31 }),
        fc.integer({ min: 0, max: 31 }),
        fc.integer({ min: 0, max: 62 }),
        fc.array(fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true })), {
          minLength: 4,
          maxLength: 12,
        }),
        (xBits, mBits, e, fractions) => {
          const reach = 2 ** xBits - 1;
          const largest = 2 ** mBits - 1;
          const xs = fractions.map(([x]) => Math.round(x * reach));
          // Ties are rare by chance: some multipliers have many trailing zeros.
          const ms = fractions.map(([, m], i) => {
            const value = Math.round(m * largest);
            return i % 2 === 0 ? value : value - (value % 2 ** Math.max(0, mBits - 4));
          });
          const numerator = BigInt(reach) * BigInt(largest);
          const op: RequantizeOp = { ...base, e };
          const form = vectorForm(
            op,
            { m: ms, e: [e], z: [0], bias: undefined },
            bitsOf(numerator),
            { dtype: 'i32', interval: { lo: -reach, hi: reach } },
            undefined,
          );
          if (form === undefined) return;
          vectorized += 1;
          for (const x of [...xs, reach, -reach, 0, 1, -1]) {
            if (Math.abs(x) > reach) continue;
            for (const m of ms) expect(asVectors(x, m, form)).toBe(rne(BigInt(x) * BigInt(m), e));
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(vectorized).toBeGreaterThan(60);
  });

  it('rounds ties to even at their very numbers', () => {
    for (let e = 1; e <= 32; e++) {
      const op: RequantizeOp = { ...base, e };
      for (const m of [1, -1, 3, 2 ** 10]) {
        const form = vectorForm(
          op,
          { m: [m], e: [e], z: [0], bias: undefined },
          27,
          { dtype: 'i32', interval: { lo: -65536, hi: 65536 } },
          undefined,
        );
        if (form === undefined) continue;
        for (let odd = -7; odd <= 7; odd += 2) {
          const x = (odd * 2 ** (e - 1)) / Math.abs(m);
          if (Number.isInteger(x) && Math.abs(x) <= 65536) {
            expect(asVectors(x, m, form)).toBe(rne(BigInt(x) * BigInt(m), e));
          }
        }
      }
    }
  });

  it('refuses what could overflow a term, and forms that are not vectors', () => {
    const wide = { dtype: 'i32', interval: { lo: -(2 ** 31), hi: 2 ** 31 - 1 } } as const;
    const parameters = { m: [1], e: [0], z: [0], bias: undefined };
    expect(vectorForm({ ...base }, parameters, 32, wide, undefined)).toBeUndefined();
    expect(vectorForm({ ...base }, { ...parameters, e: [20, 21] }, 40, wide, undefined)).toBeUndefined();
    const narrow = { dtype: 'i16', interval: { lo: -32768, hi: 32767 } } as const;
    expect(vectorForm({ ...base }, parameters, 16, narrow, undefined)).toBeDefined();
    expect(vectorForm({ ...base, channels: 'c' }, parameters, 16, narrow, undefined)).toBeUndefined();
    expect(vectorForm({ ...base }, { ...parameters, z: [2 ** 29] }, 16, narrow, undefined)).toBeUndefined();
  });
});
