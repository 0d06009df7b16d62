import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactRowCode, exactRowQuantize } from '../test/exact.js';
import { rampLookup } from './ramp-lookup.js';
import { rowQuantize, rowScale } from './row-scale.js';

const int16 = fc.oneof(
  fc.integer({ min: -32768, max: 32767 }),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(-32768, -32767, 0, 32766, 32767),
);
const bound = fc.oneof(fc.integer({ min: 7, max: 900 }), fc.constantFrom(7, 127, 128, 255, 239));

describe('rowScale', () => {
  it('equals the definition with shared and per-channel bounds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(int16, int16, bound, bound), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        fc.boolean(),
        (channels, sharedP, sharedN) => {
          const rows = [channels.map(([value]) => value), channels.map(([, value]) => value)];
          const length = channels.length;
          const cp = channels.map(([, , p]) => p).slice(0, sharedP ? 1 : length);
          const cn = channels.map(([, , , n]) => n).slice(0, sharedN ? 1 : length);
          const out = new Uint8Array(3);
          const x = Int16Array.from([1, ...rows.flat()]);
          rowScale(out, 1, x, 1, 2, length, Int32Array.from(cp), Int32Array.from(cn));
          expect([...out]).toEqual([0, ...rows.map((row) => exactRowCode(row, cp, cn))]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('equals the definition for every int16 alone in its row, and the row fits int8', () => {
    for (const [cp, cn] of [
      [127, 128],
      [7, 7],
      [239, 16],
    ] as const) {
      for (let value = -32768; value <= 32767; value++) {
        const out = new Uint8Array(1);
        rowScale(out, 0, Int16Array.of(value), 0, 1, 1, Int32Array.of(cp), Int32Array.of(cn));
        const want = exactRowCode([value], [cp], [cn]);
        if (out[0] !== want) expect([cp, cn, value, out[0]]).toEqual([cp, cn, value, want]);
        const code = out[0] as number;
        // D = f·2^E covers 16·|x| / bound: the scale is large enough.
        const scale = (16 + (code & 15)) * 2 ** (code >> 4);
        const size = value >= 0 ? value / cp : -value / cn;
        if (scale < 16 * size) expect([cp, cn, value, scale]).toEqual([cp, cn, value, 16 * size]);
      }
    }
  });

  it('refuses bounds of another length', () => {
    const one = Int32Array.of(127, 127);
    expect(() => rowScale(new Uint8Array(1), 0, new Int16Array(3), 0, 1, 3, one, one)).toThrowError(
      expect.objectContaining({ code: 'E_NONLINEAR' }),
    );
  });
});

describe('rowQuantize', () => {
  it('equals the definition with source channels and slots', () => {
    fc.assert(
      fc.property(
        fc.array(int16, { minLength: 3, maxLength: 3 }),
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: -128, max: 127 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: -128, max: 127 })), {
          minLength: 1,
          maxLength: 6,
        }),
        (x, code, z, columns) => {
          const codes = Uint8Array.of(9, code);
          const out = new Int8Array(4);
          rowQuantize(out, 1, Int16Array.from(x), 0, codes, 1, 1, 3, 3, z);
          expect([...out]).toEqual([0, ...x.map((value) => exactRowQuantize(value, code, z, 0))]);
          const channels = Int32Array.from(columns, ([channel]) => channel);
          const slot = Int8Array.from(columns, ([, number]) => number);
          const wide = new Int8Array(columns.length);
          rowQuantize(wide, 0, Int16Array.from(x), 0, codes, 1, 1, 3, columns.length, z, channels, slot);
          expect([...wide]).toEqual(
            columns.map(([channel, number]) => exactRowQuantize(x[channel] as number, code, z, number)),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('equals the definition for every code at every int16 boundary', () => {
    const values = [-32768, -32767, -16385, -16384, -257, -256, -2, -1, 0, 1, 2, 255, 256, 16383, 16384, 32766, 32767];
    for (let code = 0; code < 256; code++) {
      const out = new Int8Array(values.length);
      rowQuantize(out, 0, Int16Array.from(values), 0, Uint8Array.of(code), 0, 1, values.length, values.length, -7);
      expect([...out]).toEqual(values.map((value) => exactRowQuantize(value, code, -7, 0)));
    }
  });

  it('refuses channel counts without a source', () => {
    expect(() => rowQuantize(new Int8Array(4), 0, new Int16Array(3), 0, new Uint8Array(1), 0, 1, 3, 4, 0)).toThrowError(
      expect.objectContaining({ code: 'E_NONLINEAR' }),
    );
  });
});

describe('rampLookup', () => {
  it('equals the definition', () => {
    fc.assert(
      fc.property(
        fc.array(int16, { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 1, maxLength: 600 }),
        fc.integer({ min: 0, max: 8 }),
        (x, table, u) => {
          const out = new Int32Array(x.length + 1);
          rampLookup(out, 1, Int16Array.from(x), 0, x.length, Int16Array.from(table), u);
          const want = x.map(
            (value) => Math.max(value, 0) * 2 ** u + (table[Math.min(Math.abs(value), table.length - 1)] as number),
          );
          expect([...out]).toEqual([0, ...want]);
        },
      ),
    );
    expect(() => rampLookup(new Int32Array(1), 0, new Int16Array(1), 0, 1, new Int16Array(1), 9)).toThrowError(
      expect.objectContaining({ code: 'E_NONLINEAR' }),
    );
  });
});
