import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exactElementShiftGelu,
  exactIGelu,
  exactLog2Code,
  exactPolynomialExp,
  exactPowerOfTwo,
  exactSqrt,
  exactSqrtLayerNorm,
} from '../test/exact-field.js';
import {
  erf,
  fqExpParameters,
  iExpParameters,
  iGeluParameters,
  iGeluRampTable,
  iGeluTable,
  shiftGeluRampTable,
} from './convert/index.js';
import { elementShiftGelu, elementShiftGeluTable } from './element-shift-gelu.js';
import { iErf, iGelu } from './i-gelu.js';
import { log2Product, log2SoftmaxRows } from './log2-softmax.js';
import { polynomialExp, polynomialExpTable } from './polynomial-exp.js';
import { powerOfTwoRows } from './power-of-two-rows.js';
import { rampLookup } from './ramp-lookup.js';
import { shiftGeluRows } from './shift-gelu.js';
import { integerSqrt, sqrtLayerNormRows } from './sqrt-layer-norm.js';

const refused = expect.objectContaining({ code: 'E_NONLINEAR' });
const scale = fc.double({ min: 2 ** -12, max: 0.6, noNaN: true });
const int16 = fc.oneof(
  fc.integer({ min: -32768, max: 32767 }),
  fc.constantFrom(-32768, -32767, -1, 0, 1, 32766, 32767),
);

describe('polynomialExp', () => {
  const parameters = fc.oneof(
    scale.map(iExpParameters),
    fc.tuple(scale, fc.integer({ min: 0, max: 24 })).map(([s, n]) => fqExpParameters(s, n)),
  );

  it('equals the definition', () => {
    fc.assert(
      fc.property(fc.integer({ min: -65535, max: 0 }), parameters, (x, p) => {
        expect(BigInt(polynomialExp(x, p))).toBe(exactPolynomialExp(x, p));
      }),
      { numRuns: 5000 },
    );
  });

  it('stays within 0.0021 of e^x (I-BERT) and 0.002 (FQ-ViT), 0.5 % of it (FQ-ViT)', () => {
    for (const [p, unit, most, share] of [
      [iExpParameters(2 ** -10), 0.3585 * 2 ** -20, 0.0021, 0.012],
      [fqExpParameters(2 ** -10, 12), 0.35815147 * 2 ** -32, 0.002, 0.005],
    ] as const) {
      const errors = [0];
      const shares = [0];
      for (let x = 0; x >= -8000; x -= 1) {
        const exact = Math.exp(x / 1024);
        errors.push(Math.abs(polynomialExp(x, p) * unit - exact));
        shares.push(Math.abs(polynomialExp(x, p) * unit - exact) / exact);
      }
      expect(Math.max(...errors)).toBeLessThan(most);
      expect(Math.max(...errors)).toBeGreaterThan(most / 2);
      expect(Math.max(...shares)).toBeLessThan(share);
    }
  });

  it('has a table that is the function, never below 1, never rising', () => {
    for (const exponent of [2, 4, 6, 8]) {
      for (const p of [iExpParameters(2 ** -exponent), fqExpParameters(2 ** -exponent, 4)]) {
        const table = polynomialExpTable(p);
        let least = Number.POSITIVE_INFINITY;
        for (const [d, entry] of table.entries()) {
          least = Math.max(1, Math.min(least, Number(exactPolynomialExp(-d, p))));
          if (entry !== least) expect([exponent, d, entry]).toEqual([exponent, d, least]);
        }
        expect(table.at(-1)).toBe(1);
      }
    }
  });

  it('refuses scales that leave no octave or no room', () => {
    for (const bad of [0, -1, Number.NaN, 0.7, 2 ** -30]) expect(() => iExpParameters(bad)).toThrowError(refused);
    expect(() => fqExpParameters(0.1, 31)).toThrowError(refused);
    expect(() => polynomialExpTable(fqExpParameters(2 ** -8, 20))).toThrowError(refused);
  });
});

describe('log2 softmax', () => {
  it('equals the definition for every exponential', () => {
    const row = fc.array(int16, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(row, fc.integer({ min: 2, max: 4 }), fc.integer({ min: 1, max: 8 }), (values, bits, f) => {
        const p = fqExpParameters(2 ** -f, 4);
        const table = polynomialExpTable(p);
        const out = new Uint8Array(values.length + 1);
        log2SoftmaxRows(out, 1, Int16Array.from(values), 0, 1, values.length, { table }, bits);
        const largest = Math.max(...values);
        const e = values.map((value) => BigInt(table[Math.min(largest - value, table.length - 1)] as number));
        const sum = e.reduce((total, entry) => total + entry, 0n);
        const want = e.map((entry) => exactLog2Code(entry, sum, 2 ** bits - 1));
        expect([...out].slice(1)).toEqual(want);
        const weights = want.reduce((total, code) => total + 2 ** (2 ** bits - 1 - code), 0);
        expect(weights).toBeLessThanOrEqual(1.5 * 2 ** (2 ** bits - 1) + values.length);
      }),
      { numRuns: 3000 },
    );
  });

  it('takes the shift and pow2 forms, E = 0 included', () => {
    const x = Int16Array.of(0, -1, -100, -30000);
    const out = new Uint8Array(4);
    log2SoftmaxRows(out, 0, x, 0, 1, 4, { pow2: 4 }, 4);
    expect([...out]).toEqual([1, 1, 7, 15]);
    log2SoftmaxRows(out, 0, x, 0, 1, 4, { shift: -16, n: 15 }, 4);
    expect([...out].slice(0, 2)).toEqual([1, 1]);
    expect(() => log2SoftmaxRows(out, 0, x, 0, 1, 4, { shift: -64, n: 24 }, 4)).toThrowError(refused);
    expect(() => log2SoftmaxRows(out, 0, x, 0, 1, 4, { pow2: 4 }, 5)).toThrowError(refused);
    expect(() => log2SoftmaxRows(out, 0, x, 0, 1, 4, { pow2: 9 }, 4)).toThrowError(refused);
  });

  it('multiplies by shifts', () => {
    const a = fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 6, maxLength: 6 });
    const b = fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(a, b, (codes, values) => {
        const out = new Int32Array(8);
        log2Product(out, 0, Uint8Array.from(codes), 0, Int8Array.from(values), 0, 2, 3, 4, 4);
        const want = Array.from({ length: 8 }, (_, at) => {
          const [i, j] = [at >> 2, at & 3];
          return Number(
            [0, 1, 2].reduce(
              (s, k) => s + (BigInt(values[4 * k + j] ?? 0) << BigInt(15 - (codes[3 * i + k] ?? 0))),
              0n,
            ),
          );
        });
        expect([...out]).toEqual(want);
      }),
    );
  });
});

describe('i-GELU', () => {
  it('equals the definition', () => {
    fc.assert(
      fc.property(int16, scale, (x, s) => {
        const p = iGeluParameters(s);
        expect(BigInt(iGelu(x, p))).toBe(exactIGelu(x, p));
      }),
      { numRuns: 3000 },
    );
  });

  it('is at most 0.019 away from GELU, as its erf at most 0.0961 (at 0+) from erf', () => {
    const p = iGeluParameters(2 ** -10);
    const [errors, gelus] = [[0], [0]];
    for (let x = -6000; x <= 6000; x += 1) {
      const real = x / 1024;
      errors.push(Math.abs(iErf(x, p) / -p.c - erf(real * Math.SQRT1_2)));
      gelus.push(Math.abs(iGelu(x, p) * p.unit - (real / 2) * (1 + erf(real * Math.SQRT1_2))));
    }
    expect(Math.max(...gelus)).toBeGreaterThan(0.015);
    expect(Math.max(...gelus)).toBeLessThan(0.019);
    expect(Math.max(...errors)).toBeLessThan(0.0961);
  });

  it('has tables: on int8 for lookup, on int16 for ramplookup within one unit', () => {
    const p = iGeluParameters(0.05);
    const table = iGeluTable(0.05, 2 ** -12);
    for (let x = -128; x < 128; x += 1)
      expect(Math.abs((table[x + 128] as number) - iGelu(x, p) * p.unit * 4096)).toBeLessThanOrEqual(0.5);
    const ramp = iGeluRampTable();
    const x = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);
    const out = new Int32Array(65536);
    rampLookup(out, 0, x, 0, x.length, ramp, 5);
    const fine = iGeluParameters(2 ** -7);
    for (const [i, value] of x.entries()) {
      // |c| stands for 1 with an error below 2^-17: beyond |x| = 2^15 · 2^-17 units of x that shows.
      const want = iGelu(value, fine) * fine.unit * 4096;
      if (Math.abs((out[i] as number) - want) > 0.5 + Math.abs(value) * 32 * 2 ** -16)
        expect([value, out[i]]).toEqual([value, want]);
    }
    expect(() => iGeluTable(1, 2 ** -12)).toThrowError(refused);
  });
});

describe('element-wise ShiftGELU', () => {
  it('equals the definition, and ShiftGELU of the row (x, 0)', () => {
    for (const x0 of [-1, -2, -12, -76, -127, -256]) {
      for (const n of [1, 15, 16, 23]) {
        const table = elementShiftGeluTable(x0, n);
        for (let x = -128; x < 128; x += 1) {
          const out = new Int16Array(2);
          shiftGeluRows(out, 0, Int8Array.of(x, 0), 0, 1, 2, x0, n);
          const got = [table[x + 128], elementShiftGelu(x, x0, n), out[0]];
          const want = exactElementShiftGelu(x, x0, n);
          if (got.some((value) => value !== want)) expect([x0, n, x, got]).toEqual([x0, n, x, [want, want, want]]);
        }
      }
    }
    expect(() => elementShiftGeluTable(-5, 24)).toThrowError(refused);
  });

  it('has a ramp form for int16 that differs from the function by the gate of positive x alone', () => {
    const table = shiftGeluRampTable();
    expect(table.at(-1)).toBe(0);
    for (let x = -2000; x < 2000; x += 1) {
      const ramp = Math.max(x, 0) * 32 + (table[Math.min(Math.abs(x), table.length - 1)] as number);
      const own = exactElementShiftGelu(x, -76, 16) / 4;
      // The two gates of x and -x add up to 126, 127 or 128 of 128.
      if (Math.abs(ramp - own) > 0.5 + (x > 0 ? x / 2 : 0)) expect([x, ramp]).toEqual([x, own]);
    }
  });
});

describe('LayerNorm by the exact root', () => {
  it('finds every root', () => {
    const around = fc.integer({ min: 1, max: 2 ** 26 }).chain((k) => fc.constantFrom(k * k - 1, k * k, k * k + 1));
    fc.assert(
      fc.property(fc.oneof(around, fc.maxSafeNat()), (v) => {
        expect(BigInt(integerSqrt(v))).toBe(exactSqrt(BigInt(v)));
      }),
      { numRuns: 3000 },
    );
    expect([0, 1, 2, 3, 4].map(integerSqrt)).toEqual([0, 1, 1, 1, 2]);
  });

  it('equals the definition', () => {
    const row = fc.array(fc.tuple(int16, fc.integer({ min: -(2 ** 29), max: 2 ** 29 })), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(row, fc.boolean(), (pairs, biased) => {
        const x = pairs.map(([value]) => value);
        const bias = biased ? pairs.map(([, b]) => b) : null;
        const out: number[] = [];
        sqrtLayerNormRows(out, 0, Int16Array.from(x), 0, 1, x.length, bias);
        expect(out).toEqual(exactSqrtLayerNorm(x, bias));
      }),
    );
  });
});

describe('power-of-two factors', () => {
  it('equals the definition', () => {
    const alpha = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        alpha,
        int16,
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: -128, max: 127 }),
        (a, x, m, e, z) => {
          const out = new Int16Array(2 * a.length);
          const rows = Int16Array.from({ length: 2 * a.length }, (_, i) => (i % 3 === 0 ? x : x >> i));
          powerOfTwoRows(out, 0, rows, 0, 2, a, m, e, z);
          expect([...out]).toEqual(
            [...rows].map((value, i) => exactPowerOfTwo(value, a[i % a.length] as number, m, e, z)),
          );
        },
      ),
    );
    expect(() => powerOfTwoRows(new Int16Array(1), 0, new Int16Array(1), 0, 1, [8], 1, 0, 0)).toThrowError(refused);
  });
});
