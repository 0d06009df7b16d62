import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  layerNormIntegers,
  MINIMUM_SCALE,
  maskInteger,
  quantizeF32,
  roundHalfEven,
  shiftGeluX0,
  softmaxX0,
  symmetricScale,
} from './float32.js';
import { erf, GELU_TABLE_LENGTH, geluRampShift, geluRampTable } from './gelu-table.js';

describe('float32 helpers', () => {
  it('rounds half to even over the whole range of doubles', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const y = roundHalfEven(x);
        expect(Number.isInteger(y)).toBe(true);
        const floor = Math.floor(x);
        const rest = x - floor;
        expect(y).toBe((rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor) + 0);
      }),
    );
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5].map(roundHalfEven)).toEqual([0, 2, 2, 0, -2, -2]);
    for (const base of [2 ** 50, 2 ** 51, 2 ** 52 - 4]) {
      expect([0, 0.5, 1, 1.5].map((d) => roundHalfEven(base + d) - base)).toEqual([0, 0, 1, 2]);
      expect([0, 0.5, 1, 1.5].map((d) => roundHalfEven(-base - d) + base + 0)).toEqual([0, 0, -1, -2]);
    }
  });

  it('clamps after rounding', () => {
    expect(quantizeF32(127.6, 1, 8)).toBe(127);
    expect(quantizeF32(-128.4, 1, 8)).toBe(-128);
    expect(quantizeF32(-129, 1, 8)).toBe(-128);
    expect(quantizeF32(1e30, 1, 32)).toBe(2 ** 31 - 1);
    expect(quantizeF32(2 ** 31, 1, 32)).toBe(2 ** 31 - 1);
    expect(quantizeF32(-1e30, 1, 32)).toBe(-(2 ** 31));
    expect(() => quantizeF32(Number.NaN, 1, 8)).toThrowError(expect.objectContaining({ code: 'E_NONLINEAR' }));
  });

  it('has a smallest scale', () => {
    expect(symmetricScale(0, 0, 8)).toBe(MINIMUM_SCALE);
    expect(symmetricScale(-2.54, 1, 8)).toBe(Math.fround(Math.fround(2.54) / 127));
    expect(() => symmetricScale(Number.NaN, 1, 8)).toThrowError(expect.objectContaining({ code: 'E_NONLINEAR' }));
  });

  it('finds x0 and mask integers', () => {
    expect(softmaxX0(0.0625)).toBe(-16);
    expect(softmaxX0(2.5)).toBe(-1);
    expect(shiftGeluX0(0.05)).toBe(-12);
    expect(maskInteger(-100, 0.3)).toBe(-334);
    expect(maskInteger(0, 0.3)).toBe(0);
  });

  it('rejects a norm channel without a weight', () => {
    expect(() => layerNormIntegers([1, 1], [1, 0])).toThrowError(expect.objectContaining({ code: 'E_NONLINEAR' }));
    expect(() => layerNormIntegers([1], [1, 1])).toThrowError(expect.objectContaining({ code: 'E_NONLINEAR' }));
  });
});

describe('erf', () => {
  // Abramowitz & Stegun, table 7.1; DLMF 7.
  it.each([
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
  ])('erf(%f)', (z, value) => {
    expect(Math.abs(erf(z) - value)).toBeLessThan(1e-15);
    expect(erf(-z)).toBe(-erf(z));
  });

  it('ends at 1', () => {
    expect([erf(0), erf(6), erf(6.1), erf(1e9)]).toEqual([0, 1, 1, 1]);
  });
});

describe('geluRampTable', () => {
  const table = geluRampTable();

  it('is the table of the specification', () => {
    expect(table).toHaveLength(GELU_TABLE_LENGTH);
    // sha256 of the int16 LE bytes, computed from the C library's erf by an independent script
    expect(createHash('sha256').update(new Uint8Array(table.buffer)).digest('hex')).toBe(
      '59b440cede840da852ae41177ddfff284cabf225d976e8978175bbf978c1b2f3',
    );
    expect([...table.slice(0, 4)]).toEqual([0, -16, -32, -47]);
    expect(table[576]).toBe(0);
  });

  it('does not depend on the last digits of erf', () => {
    for (let i = 1; i < 576; i++) {
      const value = -2048 * (i / 128) * (1 - erf((i / 128) * Math.SQRT1_2));
      const toTie = Math.abs(value - Math.floor(value) - 0.5);
      if (toTie < 1e-6) expect([i, value]).toEqual([i, 'not within 1e-6 of a tie']);
    }
    for (const shift of [1e-10, -1e-10]) expect([...geluRampTable((z) => erf(z) + shift)]).toEqual([...table]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7])('is GELU to half a unit for x in steps of 2^-%i', (bits) => {
    const own = geluRampTable(erf, bits);
    const u = geluRampShift(bits);
    expect(own).toHaveLength(4.5 * 2 ** bits + 1);
    expect(own.at(-1)).toBe(0);
    expect(u).toBe(Math.min(8, 12 - bits));
    for (let x = -6 * 2 ** bits; x <= 6 * 2 ** bits; x++) {
      const y = Math.max(x, 0) * 2 ** u + (own[Math.min(Math.abs(x), own.length - 1)] as number);
      const real = x / 2 ** bits;
      const exact = (real * (1 + erf(real * Math.SQRT1_2))) / 2;
      expect(Math.abs(y - exact * 2 ** (bits + u))).toBeLessThanOrEqual(0.5 + 1e-9);
    }
  });
});
