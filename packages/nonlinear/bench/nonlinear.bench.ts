/** Row functions on DeiT-Tiny shapes: `node --conditions=@ivit/source --import tsx packages/nonlinear/bench/nonlinear.bench.ts` */
import {
  layerNormRows,
  rampLookup,
  rowQuantize,
  rowScale,
  shiftExpTable,
  shiftGeluRows,
  shiftGeluTable,
  softmaxRows,
} from '@ivit/nonlinear';
import { geluRampTable } from '@ivit/nonlinear/convert';

const TOKENS = 197;
const noise = (i: number): number => Math.imul(i + 1, 0x9e3779b1) >>> 16;
const logits16 = Int16Array.from({ length: 3 * TOKENS * TOKENS }, (_, i) => (noise(i) % 4000) - 3000);
const logits8 = Int8Array.from({ length: 3 * TOKENS * TOKENS }, (_, i) => (noise(i) % 200) - 100);
const attention = new Int16Array(logits16.length);
const stream = Int16Array.from({ length: TOKENS * 192 }, (_, i) => (noise(i) % 20000) - 10000);
const normalized = new Int32Array(stream.length);
const hidden8 = Int8Array.from({ length: TOKENS * 768 }, (_, i) => (noise(i) % 256) - 128);
const hidden16 = Int16Array.from({ length: TOKENS * 768 }, (_, i) => (noise(i) % 2000) - 1000);
const gelu16 = new Int16Array(hidden8.length);
const ramp = new Int32Array(hidden16.length);
const codes = new Uint8Array(TOKENS);
const rows8 = new Int8Array(hidden16.length);
const expTable = shiftExpTable(-58, 15);
const geluExp = shiftGeluTable(-48, 23);
const geluTable = geluRampTable();
const plus = Int32Array.of(127 + 112);
const minus = Int32Array.of(128 - 112);

/** Calls per image of a 12-block DeiT-Tiny. */
const CASES: readonly (readonly [string, number, () => void])[] = [
  ['softmax pow2 16', 12, () => softmaxRows(attention, 0, logits16, 0, 3 * TOKENS, TOKENS, { pow2: 8 }, 16)],
  ['softmax table 16', 12, () => softmaxRows(attention, 0, logits8, 0, 3 * TOKENS, TOKENS, { table: expTable }, 16)],
  ['softmax shift 16', 12, () => softmaxRows(attention, 0, logits8, 0, 3 * TOKENS, TOKENS, { shift: -58, n: 15 }, 16)],
  ['layernorm i16', 25, () => layerNormRows(normalized, 0, stream, 0, TOKENS, 192, null)],
  ['shiftgelu', 12, () => shiftGeluRows(gelu16, 0, hidden8, 0, TOKENS, 768, -48, 23, geluExp)],
  ['ramplookup', 12, () => rampLookup(ramp, 0, hidden16, 0, TOKENS * 768, geluTable, 5)],
  ['rowscale 768', 12, () => rowScale(codes, 0, hidden16, 0, TOKENS, 768, plus, minus)],
  ['rowquantize 768', 12, () => rowQuantize(rows8, 0, hidden16, 0, codes, 0, TOKENS, 768, 768, -112)],
];

for (let round = 0; round < 2; round++) {
  for (const [name, calls, run] of CASES) {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 25; i++) {
      const start = performance.now();
      run();
      best = Math.min(best, performance.now() - start);
    }
    console.log(`${name}: ${best.toFixed(3)} ms a call, ${(best * calls).toFixed(1)} ms an image`);
  }
}
