import { matmulF32 } from '@ivit/models';

for (const [m, n, k] of [
  [197, 576, 192],
  [197, 192, 192],
  [197, 768, 192],
  [197, 192, 768],
] as const) {
  const a = new Float32Array(m * k).map((_, i) => ((i * 7919) % 1013) / 1013 - 0.5);
  const w = new Float32Array(n * k).map((_, i) => ((i * 6007) % 997) / 997 - 0.5);
  const out = new Float32Array(m * n);
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 40; run += 1) {
    const start = performance.now();
    matmulF32(a, w, undefined, m, n, k, out);
    best = Math.min(best, performance.now() - start);
  }
  console.log(`${m}x${n}x${k}: ${best.toFixed(2)} ms, ${((m * n * k) / best / 1e6).toFixed(2)} GMAC/s`);
}
