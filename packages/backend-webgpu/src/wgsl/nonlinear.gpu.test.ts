import { createRandom } from '@ivit/backend-testkit';
import { describe, it } from 'vitest';
import { boundaries, edgy } from '../testing/boundaries.js';
import { evaluate, expectSame } from '../testing/evaluate.js';
import { divide } from './divide.wgsl.js';
import { exponential } from './exponential.wgsl.js';
import { norm } from './norm.wgsl.js';
import { wide } from './wide.wgsl.js';

const M = (1n << 31n) - 1n;
const u32 = (value: bigint): number => Number(BigInt.asUintN(32, value));
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return q * b !== a && a < 0n !== b < 0n ? q - 1n : q;
}
function rneDiv(a: bigint, b: bigint): bigint {
  const floor = floorDiv(a, b);
  const twice = 2n * (a - floor * b);
  return twice > b || (twice === b && (floor & 1n) === 1n) ? floor + 1n : floor;
}
const wordsOf = (v: bigint): readonly [number, number] => [u32(v), u32(v >> 32n)];

describe('divisions', () => {
  it('floors and rounds for either sign', async () => {
    const values = boundaries(-(2 ** 31), 2 ** 31 - 1);
    const divisors = [...boundaries(-(2 ** 20), 2 ** 20), 3, -7, 197].filter((b) => b !== 0);
    const inputs = values.flatMap((a) => divisors.filter((b) => b !== -1 || a > -(2 ** 31)).map((b) => [a, b]));
    const floored = await evaluate(divide, 'bitcast<u32>(div_floor(a, b))', 1, inputs);
    expectSame(
      inputs,
      floored,
      inputs.map(([a = 0, b = 1]) => [u32(floorDiv(BigInt(a), BigInt(b)))]),
    );
    const positive = inputs.filter(([, b = 0]) => b > 0);
    const rounded = await evaluate(divide, 'bitcast<u32>(div_rne(a, b))', 1, positive);
    expectSame(
      positive,
      rounded,
      positive.map(([a = 0, b = 1]) => [u32(rneDiv(BigInt(a), BigInt(b)))]),
    );
  });

  it('divides 64 bits by 32', async () => {
    const random = createRandom(21);
    const inputs: number[][] = [];
    const expected: number[][] = [];
    const add = (v: bigint, k: bigint): void => {
      if (v < 0n || v >= 1n << 64n || k < 1n || k >= 1n << 32n || v >> 32n >= k) return;
      inputs.push([...wordsOf(v), u32(k)]);
      expected.push([u32(v / k)]);
    };
    for (let bits = 0n; bits < 32n; bits++) {
      for (const near of [-1n, 0n, 1n, BigInt(random.integer(0, 65535))]) {
        const k = (1n << bits) + near;
        // Multiples of k and their neighbors, quotients up to 2^32 - 1: where an estimated digit is one or two too large.
        for (const q of [0n, 1n, 65535n, 65536n, (1n << 32n) - 1n, BigInt(random.integer(0, 2 ** 32 - 1))]) {
          for (const rest of [-1n, 0n, 1n]) add(k * q + rest, k);
        }
      }
    }
    for (let i = 0; i < 20000; i++) {
      const k = BigInt(edgy(random, 1, 2 ** 32 - 1));
      add((BigInt(random.integer(0, Number(k) - 1)) << 32n) | BigInt(edgy(random, 0, 2 ** 32 - 1)), k);
    }
    const call = 'div_wide(vec2<u32>(bitcast<u32>(a), bitcast<u32>(b)), bitcast<u32>(c))';
    expectSame(inputs, await evaluate(divide, call, 1, inputs), expected);
  });

  it('rounds a 64-bit mean to even', async () => {
    const random = createRandom(22);
    const inputs: number[][] = [];
    const expected: number[][] = [];
    for (let i = 0; i < 6000; i++) {
      const n = BigInt(edgy(random, 1, 2 ** 31 - 1));
      const mean = BigInt(edgy(random, -(2 ** 31) + 1, 2 ** 31 - 2));
      const a = mean * n + random.pick([0n, 1n, -1n, n >> 1n, -(n >> 1n), (n + 1n) >> 1n]);
      inputs.push([...wordsOf(a), u32(n)]);
      expected.push([u32(rneDiv(a, n))]);
    }
    const call = 'bitcast<u32>(div_rne_wide(vec2<u32>(bitcast<u32>(a), bitcast<u32>(b)), bitcast<u32>(c)))';
    expectSame(inputs, await evaluate(divide, call, 1, inputs), expected);
  });
});

describe('layer norm', () => {
  it('takes ten Newton steps', async () => {
    const random = createRandom(23);
    const vs = new Set<bigint>([0n, 1n, 2n, (1n << 46n) + (1n << 15n)]);
    for (let bits = 0n; bits <= 46n; bits++) {
      for (const near of [-1n, 0n, 1n]) vs.add((1n << bits) + near);
    }
    for (let i = 0; i < 5000; i++) {
      // Squares and their neighbors, where Newton's steps alternate; and any.
      const t = BigInt(edgy(random, 1, 8388607));
      for (const v of [t * t - 1n, t * t, t * t + 2n * t]) vs.add(v);
      vs.add((BigInt(random.integer(0, 2 ** 14 - 1)) << 32n) | BigInt(random.integer(0, 2 ** 32 - 1)));
    }
    const all = [...vs].filter((v) => v >= 0n);
    const call = 'u32(norm_factor(vec2<u32>(bitcast<u32>(a), bitcast<u32>(b))))';
    const got = await evaluate(wide + divide + norm, call, 1, all.map(wordsOf));
    const factor = (v: bigint): number => {
      let k = 1n << 16n;
      for (let step = 0; step < 10; step++) k = (k + v / k) >> 1n;
      return Number(M / k);
    };
    expectSame(
      all.map(wordsOf),
      got,
      all.map((v) => [factor(v)]),
    );
  });

  it('squares 17 bits and halves a product of 33', async () => {
    const random = createRandom(24);
    const inputs = boundaries(-65535, 65535).flatMap((x) => {
      return [0, 2 ** 31 - 1, random.integer(0, 2 ** 31 - 1)].map((low) => [x, low, edgy(random, 0, 2 ** 25)]);
    });
    const squared = await evaluate(
      wide + divide + norm,
      'norm_add_square(vec2<u32>(bitcast<u32>(b) * 2u, 7u), a)',
      2,
      inputs,
    );
    expectSame(
      inputs,
      squared,
      inputs.map(([x = 0, low = 0]) => [...wordsOf((7n << 32n) + 2n * BigInt(low) + BigInt(x) * BigInt(x))]),
    );
    const fitting = inputs.filter(([x = 0, , f = 0]) => Math.abs(x * f) < 2 ** 31 * 2);
    const scaled = await evaluate(wide + divide + norm, 'bitcast<u32>(norm_scale(a, c))', 1, fitting);
    expectSame(
      fitting,
      scaled,
      fitting.map(([x = 0, , f = 0]) => [u32((BigInt(x) * BigInt(f)) >> 1n)]),
    );
  });
});

function sexp(x: bigint, x0: bigint, n: bigint): bigint {
  const exact = x + (x >> 1n) - (x >> 4n);
  const t = exact > n * x0 ? exact : n * x0;
  const q = floorDiv(t, x0);
  return q < n ? (t - x0 * q - 2n * x0) << (n - q - 1n) : -x0;
}

describe('exponentials', () => {
  it('shifts, saturating, for either sign', async () => {
    const inputs: number[][] = [];
    for (const x0 of [-1, -2, -3, -7, -16, -31, -64, -100, -126, -127]) {
      for (const n of [1, 2, 8, 15, 22, 23]) for (let x = -255; x <= 128; x++) inputs.push([x, x0, n]);
    }
    for (const [x0, n] of [
      [-1, 30],
      [-332, 15],
      [-65535, 15],
      [-1000000, 11],
      [-(2 ** 29), 1],
    ] as const) {
      for (const x of boundaries(-65535, 0)) inputs.push([x, x0, n]);
    }
    const got = await evaluate(divide + exponential, 'shift_exponential(a, b, c)', 1, inputs);
    expectSame(
      inputs,
      got,
      inputs.map(([x = 0, x0 = -1, n = 1]) => [u32(smaller(sexp(BigInt(x), BigInt(x0), BigInt(n)), M))]),
    );
  });

  it('saturates sums and gates by shiftgelu', async () => {
    const inputs: number[][] = [];
    for (const x0 of [-1, -2, -9, -64, -127]) {
      for (const n of [1, 15, 23]) {
        for (const peak of [-128, -127, -3, 0, 1, 64, 127]) {
          for (let x = -128; x <= peak; x += 3) inputs.push([x, peak, x0, n]);
        }
      }
    }
    const call = 'bitcast<u32>(shift_gelu(a, shift_exponential(a - b, c, d), shift_exponential(-b, c, d)))';
    const got = await evaluate(divide + exponential, call, 1, inputs);
    const want = inputs.map(([x = 0, peak = 0, x0 = -1, n = 1]) => {
      const e = sexp(BigInt(x - peak), BigInt(x0), BigInt(n));
      const s = smaller(e + smaller(sexp(BigInt(-peak), BigInt(x0), BigInt(n)), M), M);
      return [u32(BigInt(x) * smaller((e * (M / s)) >> 24n, 127n))];
    });
    expectSame(inputs, got, want);
  });

  it('makes probabilities of shift and table exponentials', async () => {
    const random = createRandom(25);
    const inputs = Array.from({ length: 4000 }, (_, i) => {
      const e = edgy(random, 0, 2 ** 31 - 1);
      return [e, edgy(random, Math.max(1, e), 2 ** 31 - 1), i % 2 === 0 ? 8 : 16];
    });
    const got = await evaluate(divide + exponential, 'u32(probability(u32(a), MOST / u32(b), u32(c)))', 1, inputs);
    const want = inputs.map(([e = 0, s = 1, bits = 8]) => {
      return [u32(smaller((BigInt(e) * (M / BigInt(s))) >> BigInt(32 - bits), (1n << BigInt(bits - 1)) - 1n))];
    });
    expectSame(inputs, got, want);
  });

  it('makes probabilities of powers of two, up to shifts of 32 and more', async () => {
    const random = createRandom(26);
    const inputs = Array.from({ length: 6000 }, (_, i) => [
      edgy(random, 0, 32768),
      edgy(random, 32768, 2 ** 31),
      i % 2 === 0 ? 8 : 16,
    ]);
    const call = 'u32(pow2_probability(u32(a), pow2_factor(bitcast<u32>(b)), u32(c)))';
    const got = await evaluate(divide + exponential, call, 1, inputs);
    const want = inputs.map(([e = 0, sum = 1, bits = 8]) => {
      const h = BigInt(Math.max(0, sum.toString(2).length - 16));
      const r = M / (BigInt(sum) >> h);
      const b = BigInt(bits);
      return [u32(smaller((BigInt(e) * r + (1n << (31n - b + h))) >> (32n - b + h), (1n << (b - 1n)) - 1n))];
    });
    expectSame(inputs, got, want);
    const distances = [...boundaries(0, 65535)].flatMap((d) => [0, 1, 5, 8].map((octave) => [d, octave]));
    const parts = await evaluate(divide + exponential, 'pow2_parts(u32(a), u32(b))', 2, distances);
    expectSame(
      distances,
      parts,
      distances.map(([d = 0, octave = 0]) => {
        const i = Number((BigInt(d) + (1n << BigInt(octave)) - 1n) >> BigInt(octave));
        return [i * 2 ** octave - d, i];
      }),
    );
    const shifts = Array.from({ length: 70 }, (_, i) => [65535, i]);
    const shifted = await evaluate(divide + exponential, 'pow2_shifted(u32(a), u32(b))', 1, shifts);
    expectSame(
      shifts,
      shifted,
      shifts.map(([, i = 0]) => [Number(65535n >> BigInt(i))]),
    );
  });

  it('makes log2 codes', async () => {
    const random = createRandom(27);
    const inputs: number[][] = [];
    for (let i = 0; i < 6000; i++) {
      const e = edgy(random, 0, 2 ** 31 - 1);
      inputs.push([e, edgy(random, Math.max(1, e), 2 ** 31 - 1)]);
      const small = random.integer(1, 60000);
      // S / e right at 1.5·2^c and a half beside it.
      const middle = 3 * 2 ** random.integer(-1, 14) * small;
      const sum = Math.trunc(middle) + random.integer(-1, 1);
      if (sum >= small && sum < 2 ** 31) inputs.push([small, sum], [2 * small, sum < 2 * small ? 2 * small : sum]);
    }
    const got = await evaluate(divide + exponential, 'log2_code(u32(a), u32(b))', 1, inputs);
    const want = inputs.map(([e = 0, sum = 1]) => {
      let code = 0n;
      while (code < 15n && (e === 0 || 2n * rneDiv(BigInt(sum), BigInt(e)) >= 3n << code)) code += 1n;
      return [Number(code)];
    });
    expectSame(inputs, got, want);
  });
});
