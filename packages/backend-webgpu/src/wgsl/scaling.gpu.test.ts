import { createRandom } from '@ivit/backend-testkit';
import { describe, it } from 'vitest';
import { boundaries, edgy } from '../testing/boundaries.js';
import { evaluate, expectSame } from '../testing/evaluate.js';
import { narrow } from './narrow.wgsl.js';
import { requantize } from './requantize.wgsl.js';
import { rows } from './rows.wgsl.js';
import { wide } from './wide.wgsl.js';

const I32 = [-(2 ** 31), 2 ** 31 - 1] as const;

function rne(a: bigint, e: bigint): bigint {
  const floor = a >> e;
  const twice = 2n * (a - (floor << e));
  const one = 1n << e;
  return twice > one || (twice === one && (floor & 1n) === 1n) ? floor + 1n : floor;
}
const words = (value: bigint): number[] => [
  Number(BigInt.asUintN(32, value)),
  Number(BigInt.asUintN(32, value >> 32n)),
];
const size = (value: bigint): bigint => (value < 0n ? -value : value);

describe('64-bit words', () => {
  it('multiplies every pair of boundaries', async () => {
    const edges = boundaries(...I32);
    const inputs = edges.flatMap((a) => edges.map((b) => [a, b]));
    const got = await evaluate(wide, 'wide_mul(a, b)', 2, inputs);
    expectSame(
      inputs,
      got,
      inputs.map(([a = 0, b = 0]) => words(BigInt(a) * BigInt(b))),
    );
  });

  it('shifts by 0 to 63', async () => {
    const random = createRandom(11);
    const inputs = Array.from({ length: 64 * 8 }, (_, i) => [edgy(random, ...I32), edgy(random, ...I32), i >> 3]);
    const value = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);
    const pair = 'vec2<u32>(bitcast<u32>(a), bitcast<u32>(b))';
    const left = await evaluate(wide, `wide_shl(${pair}, u32(c))`, 2, inputs);
    const right = await evaluate(wide, `wide_sar(${pair}, u32(c))`, 2, inputs);
    expectSame(
      inputs,
      left,
      inputs.map(([a = 0, b = 0, n = 0]) => words(value(a, b) << BigInt(n))),
    );
    expectSame(
      inputs,
      right,
      inputs.map(([a = 0, b = 0, n = 0]) => words(value(a, b) >> BigInt(n))),
    );
  });
});

describe('requantization', () => {
  it('rounds to even for every shift, ties forced', async () => {
    const random = createRandom(12);
    const inputs: number[][] = [];
    for (let e = 0; e <= 62; e++) {
      for (let i = 0; i < 48; i++) {
        // A power of two on each side makes ties frequent: x·m = odd·2^(e-1).
        const half = Math.max(0, e - 1);
        const up = Math.min(half, 30);
        const tie = i < 24 && half - up <= 30;
        const x = tie ? 2 ** (half - up) * random.pick([-1, 1]) : edgy(random, ...I32);
        const m = tie ? 2 ** up : edgy(random, -(2 ** 31 - 1), 2 ** 31 - 1);
        const odd = tie && Math.abs(x) < 2 ** 24 ? random.integer(-60, 60) : 1;
        if (size(BigInt(x * odd) * BigInt(m)) < 1n << 62n) inputs.push([x * odd, m, e]);
      }
    }
    const got = await evaluate(wide + requantize, 'scale_term(a, b, u32(c))', 2, inputs);
    expectSame(
      inputs,
      got,
      inputs.map(([x = 0, m = 0, e = 0]) => words(rne(BigInt(x) * BigInt(m), BigInt(e)))),
    );
  });

  it('scales rows with a bias inside the rounding', async () => {
    const random = createRandom(13);
    const inputs: number[][] = [];
    const expected: number[][] = [];
    while (inputs.length < 6000) {
      const x = edgy(random, -69273666, 69273666);
      const code = random.integer(0, 255);
      const m = edgy(random, -(2 ** 31 - 1), 2 ** 31 - 1);
      const bias = edgy(random, -(2 ** 31 - 1), 2 ** 31 - 1);
      const [k, e] = [random.integer(0, 62), random.integer(0, 62)];
      const scaled = BigInt(x) * BigInt(16 + (code & 15)) * BigInt(m) * (1n << BigInt(code >> 4));
      const extra = BigInt(bias) << BigInt(k);
      if (size(scaled) + size(extra) >= 1n << 62n) continue;
      inputs.push([x, code, m, bias, k, e]);
      expected.push(words(rne(scaled + extra, BigInt(e))));
    }
    const call = 'scale_row_term(a, u32(b), c, d, u32(e), u32(f))';
    expectSame(inputs, await evaluate(wide + requantize, call, 2, inputs), expected);
  });

  it('rounds alike where terms are narrow, ties forced', async () => {
    const random = createRandom(16);
    const inputs: number[][] = [];
    for (let e = 1; e <= 32; e++) {
      for (let i = 0; i < 200; i++) {
        // Near the largest terms, at ties and beside them, and any.
        const term = edgy(random, -(2 ** 29) + 1, 2 ** 29 - 1);
        const p =
          BigInt(term) * 2n ** BigInt(e) + BigInt(random.pick([0, 1, -1])) + (i % 2 === 0 ? 1n << BigInt(e - 1) : 0n);
        inputs.push([...words(p), e]);
      }
    }
    const call = 'bitcast<u32>(rne_narrow(vec2<u32>(bitcast<u32>(a), bitcast<u32>(b)), u32(c)))';
    const value = (low: number, high: number): bigint => (BigInt(high | 0) << 32n) | BigInt(low >>> 0);
    const want = inputs.map(([low = 0, high = 0, e = 1]) => [words(rne(value(low, high), BigInt(e)))[0] as number]);
    expectSame(inputs, await evaluate(wide + narrow, call, 1, inputs), want);
  });

  it('scales narrow rows as wide ones', async () => {
    const random = createRandom(17);
    const inputs: number[][] = [];
    while (inputs.length < 4000) {
      const [x, m] = [edgy(random, -3000000, 3000000), edgy(random, -(2 ** 31 - 1), 2 ** 31 - 1)];
      const [code, bias] = [random.integer(0, 12 * 16 + 15), edgy(random, -(2 ** 31 - 1), 2 ** 31 - 1)];
      const [k, e] = [random.integer(0, 20), random.integer(1, 32)];
      const scaled = BigInt(x) * BigInt(16 + (code & 15)) * BigInt(m) * (1n << BigInt(code >> 4));
      if (size(scaled) + size(BigInt(bias) << BigInt(k)) <= 1n << BigInt(e + 29)) inputs.push([x, code, m, bias, k, e]);
    }
    const call = (name: string): string => `${name}(a, u32(b), c, d, u32(e), u32(f))`;
    const term = await evaluate(wide + requantize, `${call('scale_row_term')}.x`, 1, inputs);
    const got = await evaluate(wide + narrow, `bitcast<u32>(${call('scale_row_narrow')})`, 1, inputs);
    expectSame(inputs, got, term);
  });

  it('adds terms and clamps once', async () => {
    const random = createRandom(14);
    const inputs = Array.from({ length: 4000 }, () => [
      edgy(random, ...I32),
      random.integer(-(2 ** 20), 2 ** 20 - 1),
      edgy(random, ...I32),
      random.integer(0, 2),
    ]);
    const limits = [127n, 32767n, 2147483647n];
    const call = `clamp_wide(wide_add(vec2<u32>(bitcast<u32>(a), bitcast<u32>(b)), wide_of(c)),
      array<i32, 3>(-128, -32768, i32(-2147483647 - 1))[d], array<i32, 3>(127, 32767, 2147483647)[d])`;
    const got = await evaluate(wide + requantize, `bitcast<u32>(${call})`, 1, inputs);
    const want = inputs.map(([low = 0, high = 0, z = 0, to = 0]) => {
      const sum = ((BigInt(high) << 32n) | BigInt(low >>> 0)) + BigInt(z);
      const top = limits[to] as bigint;
      return [Number(BigInt.asUintN(32, sum > top ? top : sum < -top - 1n ? -top - 1n : sum))];
    });
    expectSame(inputs, got, want);
  });
});

describe('rows', () => {
  it('finds the need, the code and the inverse', async () => {
    const xs = boundaries(-32768, 32767);
    const capacities = [7, 8, 9, 127, 128, 255, 382, 2 ** 20, 2 ** 31 - 1];
    const inputs = xs.flatMap((x) =>
      capacities.map((c, i) => [x, c, capacities[(i + 3) % capacities.length] as number]),
    );
    const need = await evaluate(rows, 'row_need(a, b, c)', 1, inputs);
    const ceil = (x: bigint, c: bigint): number => Number((16n * x + c - 1n) / c);
    expectSame(
      inputs,
      need,
      inputs.map(([x = 0, cp = 1, cn = 1]) => [x >= 0 ? ceil(BigInt(x), BigInt(cp)) : ceil(BigInt(-x), BigInt(cn))]),
    );
    const needs = Array.from({ length: 74900 }, (_, i) => [i]);
    const code = await evaluate(rows, 'row_code(u32(a))', 1, needs);
    expectSame(
      needs,
      code,
      needs.map(([need = 0]) => {
        const d = Math.max(16, need);
        let e = Math.max(0, d.toString(2).length - 5);
        let f = Number((BigInt(d) + (1n << BigInt(e)) - 1n) >> BigInt(e));
        if (f === 32) [f, e] = [16, e + 1];
        return [16 * e + f - 16];
      }),
    );
    const codes = Array.from({ length: 256 }, (_, i) => [i]);
    const inverse = await evaluate(rows, 'u32(row_inverse(u32(a)))', 1, codes);
    const divided = (f: bigint): bigint => (2n * (1n << 19n) + f) / (2n * f);
    // 2^19 / f has no tie: f ≤ 31 is no multiple of 2^20 / odd.
    expectSame(
      codes,
      inverse,
      codes.map(([c = 0]) => [Number(divided(BigInt(16 + (c & 15))))]),
    );
  });

  it('quantizes by a row code', async () => {
    const random = createRandom(15);
    const inputs = Array.from({ length: 4000 }, () => [
      edgy(random, -32768, 32767),
      random.integer(0, 255),
      random.integer(-65535, 65535),
    ]);
    const got = await evaluate(rows, 'bitcast<u32>(row_quantize(a, row_inverse(u32(b)), u32(b), c))', 1, inputs);
    const want = inputs.map(([x = 0, code = 0, offset = 0]) => {
      const f = BigInt(16 + (code & 15));
      const e = BigInt(code >> 4);
      const v = (BigInt(x) * ((2n * (1n << 19n) + f) / (2n * f)) + (1n << (14n + e))) >> (15n + e);
      const y = v + BigInt(offset);
      return [Number(BigInt.asUintN(32, y > 127n ? 127n : y < -128n ? -128n : y))];
    });
    expectSame(inputs, got, want);
  });
});
