import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clampTo, INT32_BOUNDARY, rneDiv } from '../test/exact.js';
import { requantizeChannelsInto } from './requantize-channels.js';
import { requantizeDynamicInto } from './requantize-dynamic.js';
import { requantizeInto } from './requantize-into.js';
import type { IntegerArray } from './requantize-types.js';

const RANGES = { i8: [-128, 127], i16: [-32768, 32767], i32: [-(2 ** 31), 2 ** 31 - 1] } as const;
type To = keyof typeof RANGES;
const to = fc.constantFrom<To>('i8', 'i16', 'i32');

function output(kind: To, length: number): IntegerArray {
  return kind === 'i8' ? new Int8Array(length) : kind === 'i16' ? new Int16Array(length) : new Int32Array(length);
}

function term(x: number, m: number, e: number): bigint {
  return rneDiv(BigInt(x) * BigInt(m), 1n << BigInt(e));
}

const int32 = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }) },
  { weight: 2, arbitrary: fc.constantFrom(...INT32_BOUNDARY.filter((v) => v !== -(2 ** 31))) },
  { weight: 1, arbitrary: fc.integer({ min: -40, max: 40 }) },
);
const exponent = fc.integer({ min: 0, max: 62 });
const list = (length: number) => fc.array(int32, { minLength: length, maxLength: length });
const TWO_52 = 1n << 52n;
function isNarrow(x: readonly number[], m: number): boolean {
  return x.every((v) => {
    const p = BigInt(v) * BigInt(m);
    return p < TWO_52 && p > -TWO_52;
  });
}

/** a^-1 modulo an odd m, by Euclid. */
function inverseModulo(a: bigint, m: bigint): bigint {
  let [r0, r1, t0, t1] = [m, a % m, 0n, 1n];
  while (r1 !== 0n) {
    const q = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - q * r1, t1, t0 - q * t1];
  }
  return t0;
}

describe('requantizeInto', () => {
  it('equals the definition, narrow where allowed and wide, with and without an addend', () => {
    let narrow = 0;
    let added = 0;
    fc.assert(
      fc.property(list(7), int32, exponent, int32, list(7), int32, exponent, to, (x, m, e, z, a, ma, ea, kind) => {
        const [lo, hi] = RANGES[kind];
        for (const withAddend of [false, true]) {
          const want = x.map((v, i) =>
            clampTo(term(v, m, e) + (withAddend ? term(a[i] as number, ma, ea) : 0n) + BigInt(z), lo, hi),
          );
          const addend = withAddend ? { values: Int32Array.from([9, ...a]), m: ma, e: ea } : null;
          const modes = [true];
          if (isNarrow(x, m) && (!withAddend || isNarrow(a, ma))) modes.push(false);
          for (const wide of modes) {
            const out = output(kind, 9);
            requantizeInto(out, 2, Int32Array.from([5, ...x]), 1, 7, m, e, z, lo, hi, wide, addend, 1);
            expect([...out]).toEqual([0, 0, ...want]);
            if (!wide) narrow += 1;
            if (withAddend) added += 1;
          }
        }
      }),
      { numRuns: 4000 },
    );
    expect(narrow).toBeGreaterThan(500);
    expect(added).toBeGreaterThan(4000);
  });

  it('rounds ties to even at every shift in both modes', () => {
    for (let e = 1; e <= 40; e++) {
      const m = 2 ** Math.min(e - 1, 30);
      const step = 2 ** (e - 1 - Math.min(e - 1, 30));
      const x = Int32Array.from([-7, -5, -3, -1, 1, 3, 5, 7].map((v) => v * step));
      for (const wide of [false, true]) {
        const out = new Int8Array(8);
        requantizeInto(out, 0, x, 0, 8, m, e, 0, -128, 127, wide);
        expect([...out]).toEqual([-4, -2, -2, 0, 0, 2, 2, 4]);
      }
    }
  });

  it('decides by the exact path where a double sees a tie and there is none', () => {
    // p = x·m = (2q+1)·2^31 ± 1, e = 32: one unit beside a tie, and 2^54 < p rounds to the tie itself.
    let misleading = 0;
    for (let i = 0; i < 400; i++) {
      const m = 2n ** 29n + 1n + 2n * BigInt(i * 670_001);
      const inverse = inverseModulo(2n ** 31n, m);
      for (const d of [1n, -1n]) {
        let odd = (((d * -inverse) % m) + m) % m; // odd·2^31 ≡ -d (mod m)
        if (odd % 2n === 0n) odd += m;
        const p = odd * 2n ** 31n + d;
        const x = p / m;
        expect(x * m).toBe(p);
        if (x >= 2n ** 31n) continue;
        const want = Number(rneDiv(p, 1n << 32n));
        const tied = Number(rneDiv(p - d, 1n << 32n));
        if (Number(p) === Number(p - d) && want !== tied) misleading += 1;
        const out = new Int32Array(2);
        const operand = Int32Array.of(Number(x), -Number(x));
        requantizeInto(out, 0, operand, 0, 2, Number(m), 32, 0, -(2 ** 31), 2 ** 31 - 1, true);
        expect([...out]).toEqual([want, -want]);
      }
    }
    expect(misleading).toBeGreaterThan(100);
  });
});

describe('requantizeChannelsInto', () => {
  it('equals the definition for shared and per-channel parameters, source channels and addends', () => {
    const shape = fc.record({
      x: list(8),
      a: list(6),
      m: list(3),
      e: fc.array(exponent, { minLength: 3, maxLength: 3 }),
      z: list(3),
      ma: int32,
      ea: exponent,
      shared: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
      channels: fc.option(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 })),
      withAddend: fc.boolean(),
      small: fc.boolean(),
      kind: to,
    });
    let narrow = 0;
    fc.assert(
      fc.property(shape, (c) => {
        const x = c.small ? c.x.map((v) => v >> 8) : c.x;
        const a = c.small ? c.a.map((v) => v >> 8) : c.a;
        const mm = c.small ? c.m.map((v) => v >> 5) : c.m;
        const ma = c.small ? c.ma >> 5 : c.ma;
        const m = c.shared[0] ? mm.slice(0, 1) : mm;
        const e = c.shared[1] ? c.e.slice(0, 1) : c.e;
        const z = c.shared[2] ? c.z.slice(0, 1) : c.z;
        const [lo, hi] = RANGES[c.kind];
        const want: number[] = [];
        for (let r = 0; r < 2; r++) {
          for (let j = 0; j < 3; j++) {
            const value = x[r * 4 + (c.channels === null ? j : (c.channels[j] as number))] as number;
            const mj = m[c.shared[0] ? 0 : j] as number;
            const ej = e[c.shared[1] ? 0 : j] as number;
            let y = term(value, mj, ej) + BigInt(z[c.shared[2] ? 0 : j] as number);
            if (c.withAddend) y += term(a[r * 3 + j] as number, ma, c.ea);
            want.push(clampTo(y, lo, hi));
          }
        }
        const parameters = {
          m: Int32Array.from(m),
          e: Uint8Array.from(e),
          z: Int32Array.from(z),
          channels: c.channels === null ? null : Uint16Array.from(c.channels),
        };
        const addend = c.withAddend ? { values: Int32Array.from(a), m: ma, e: c.ea } : null;
        const modes = [true];
        if (mm.every((v) => isNarrow(x, v)) && isNarrow(a, ma)) modes.push(false);
        for (const wide of modes) {
          const out = output(c.kind, 7);
          requantizeChannelsInto(out, 1, Int32Array.from(x), 0, 4, 2, 3, parameters, lo, hi, wide, addend, 0);
          expect([...out].slice(1)).toEqual(want);
          if (!wide) narrow += 1;
        }
      }),
      { numRuns: 6000 },
    );
    expect(narrow).toBeGreaterThan(1000);
  });
});

describe('requantizeDynamicInto', () => {
  it('equals the definition wherever the bound of its mode holds', () => {
    const x31 = Math.floor((2 ** 31 - 1) / 31);
    const shape = fc.record({
      x: fc.array(fc.integer({ min: -x31, max: x31 }), { minLength: 6, maxLength: 6 }),
      codes: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 2, maxLength: 2 }),
      m: list(3),
      mShift: fc.integer({ min: 0, max: 31 }),
      xShift: fc.integer({ min: 0, max: 20 }),
      e: fc.array(exponent, { minLength: 3, maxLength: 3 }),
      sharedE: fc.boolean(),
      z: list(3),
      bias: fc.option(list(3)),
      k: fc.integer({ min: 0, max: 62 }),
      kSmall: fc.boolean(),
      a: list(6),
      ma: int32,
      ea: exponent,
      withAddend: fc.boolean(),
      kind: to,
    });
    let narrow = 0;
    let wideCases = 0;
    fc.assert(
      fc.property(shape, (c) => {
        const x = c.x.map((v) => v >> c.xShift);
        const m = c.m.map((v) => v >> c.mShift);
        const e = c.sharedE ? c.e.slice(0, 1) : c.e;
        const k = c.kSmall ? c.k % 20 : c.k;
        const [lo, hi] = RANGES[c.kind];
        const want: number[] = [];
        let largest = 0n;
        for (let r = 0; r < 2; r++) {
          const code = c.codes[r] as number;
          for (let j = 0; j < 3; j++) {
            const product =
              BigInt(x[r * 3 + j] as number) *
              BigInt(16 + (code & 15)) *
              BigInt(m[j] as number) *
              (1n << BigInt(code >> 4));
            const offset = c.bias === null ? 0n : BigInt(c.bias[j] as number) * (1n << BigInt(k));
            const size = (product < 0n ? -product : product) + (offset < 0n ? -offset : offset);
            if (size > largest) largest = size;
            let y = rneDiv(product + offset, 1n << BigInt(e[c.sharedE ? 0 : j] as number)) + BigInt(c.z[j] as number);
            if (c.withAddend) y += term(c.a[r * 3 + j] as number, c.ma, c.ea);
            want.push(clampTo(y, lo, hi));
          }
        }
        if (largest >= 1n << 62n) return;
        wideCases += 1;
        const parameters = {
          m: Int32Array.from(m),
          e: Uint8Array.from(e),
          z: Int32Array.from(c.z),
          channels: null,
          bias: c.bias === null ? null : Int32Array.from(c.bias),
          k,
        };
        const addend = c.withAddend ? { values: Int32Array.from(c.a), m: c.ma, e: c.ea } : null;
        const modes = [true];
        if (largest < TWO_52 && (!c.withAddend || isNarrow(c.a, c.ma))) modes.push(false);
        for (const wide of modes) {
          const out = output(c.kind, 6);
          const codes = Uint8Array.from([7, ...c.codes]);
          requantizeDynamicInto(out, 0, Int32Array.from(x), 0, 3, codes, 1, 2, 3, parameters, lo, hi, wide, addend, 0);
          expect([...out]).toEqual(want);
          if (!wide) narrow += 1;
        }
      }),
      { numRuns: 10000 },
    );
    expect(wideCases).toBeGreaterThan(3000);
    expect(narrow).toBeGreaterThan(500);
  });

  it('reads the source channels', () => {
    const out = new Int16Array(4);
    const parameters = {
      m: Int32Array.of(1),
      e: Uint8Array.of(4),
      z: Int32Array.of(0),
      channels: Int32Array.of(2, 0),
      bias: null,
      k: 0,
    };
    const x = Int32Array.of(10, 20, 30, 40, 50, 60);
    requantizeDynamicInto(out, 0, x, 0, 3, Uint8Array.of(0, 17), 0, 2, 2, parameters, -32768, 32767, false);
    expect([...out]).toEqual([30, 10, 128, 85]); // 60·17·2/16 = 127.5 → 128, 40·34/16 = 85
  });
});
