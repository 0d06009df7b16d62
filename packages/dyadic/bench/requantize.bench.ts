/**
 * Rounding variants and loops, ns per element:
 * `node --conditions=@ivit/source --import tsx packages/dyadic/bench/requantize.bench.ts`
 */
import { INVERSE_POW2, POW2, requantizeChannelsInto, requantizeDynamicInto, requantizeInto } from '@ivit/dyadic';

const ROWS = 197;
const COUNT = 768;
const LENGTH = ROWS * COUNT;
const noise = (i: number): number => Math.imul(i + 1, 0x9e3779b1) >> 11;
const x = Int32Array.from({ length: LENGTH }, (_, i) => noise(i));
const big = Int32Array.from({ length: LENGTH }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
const out8 = new Int8Array(LENGTH);
const out16 = new Int16Array(LENGTH);
const residual = Int16Array.from({ length: LENGTH }, (_, i) => noise(i) >> 5);
const codes = Uint8Array.from({ length: ROWS }, (_, i) => 32 + (i % 64));
const shared = {
  m: Int32Array.from({ length: COUNT }, (_, j) => 300000 + j),
  e: Uint8Array.of(28),
  z: new Int32Array(COUNT),
  channels: null,
};
const perChannel = {
  m: Int32Array.from({ length: COUNT }, (_, j) => 2 ** 30 + 997 * j),
  e: Uint8Array.from({ length: COUNT }, (_, j) => 48 + (j % 5)),
  z: new Int32Array(COUNT),
  channels: null,
};
const dynamic = { ...shared, m: shared.m.map((m) => m >> 6), e: Uint8Array.of(30), bias: shared.m, k: 10 };
const addend = { values: residual, m: 1 << 20, e: 21 };

function floorAndTie(): void {
  const inverse = INVERSE_POW2[28] as number;
  const power = POW2[28] as number;
  const half = POW2[27] as number;
  for (let i = 0; i < LENGTH; i++) {
    const p = (x[i] as number) * 300000;
    let q = Math.floor(p * inverse);
    const r = p - q * power;
    if (r > half || (r === half && (q & 1) === 1)) q += 1;
    out8[i] = q < -128 ? -128 : q > 127 ? 127 : q;
  }
}

const CASES: readonly (readonly [string, () => void])[] = [
  ['floor and compare, one multiplier', floorAndTie],
  ['narrow, one multiplier', () => requantizeInto(out8, 0, x, 0, LENGTH, 300000, 28, 0, -128, 127, false)],
  ['wide, one multiplier', () => requantizeInto(out8, 0, big, 0, LENGTH, 2 ** 30 + 1, 56, 0, -128, 127, true)],
  [
    'narrow + addend, one multiplier',
    () => requantizeInto(out16, 0, x, 0, LENGTH, 300000, 24, 0, -32768, 32767, false, addend),
  ],
  [
    'narrow, per channel, shared shift',
    () => requantizeChannelsInto(out8, 0, x, 0, COUNT, ROWS, COUNT, shared, -128, 127, false),
  ],
  [
    'wide, per channel, own shift (layernorm)',
    () => requantizeChannelsInto(out8, 0, big, 0, COUNT, ROWS, COUNT, perChannel, -128, 127, true),
  ],
  [
    'row-dynamic narrow + bias',
    () => requantizeDynamicInto(out8, 0, x, 0, COUNT, codes, 0, ROWS, COUNT, dynamic, -128, 127, false),
  ],
  [
    'row-dynamic wide + bias',
    () => requantizeDynamicInto(out8, 0, x, 0, COUNT, codes, 0, ROWS, COUNT, dynamic, -128, 127, true),
  ],
  [
    'row-dynamic narrow + bias + addend',
    () => requantizeDynamicInto(out16, 0, x, 0, COUNT, codes, 0, ROWS, COUNT, dynamic, -32768, 32767, false, addend),
  ],
];

for (let round = 0; round < 3; round++) {
  for (const [name, run] of CASES) {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 30; i++) {
      const start = performance.now();
      run();
      best = Math.min(best, performance.now() - start);
    }
    console.log(`${round} ${name}: ${((best * 1e6) / LENGTH).toFixed(2)} ns`);
  }
}
