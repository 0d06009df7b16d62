/** GMAC/s of the product on DeiT-Tiny shapes: `node --conditions=@ivit/source --import tsx packages/tensor/bench/gemm.bench.ts` */
import { createPackedMatrix, gemm, gemmPacked, packMatrix } from '@ivit/tensor';

const SHAPES = [
  ['linear i8', 197, 576, 192],
  ['linear i8', 197, 768, 192],
  ['linear i8', 197, 192, 768],
  ['QK^T i8', 197, 197, 64],
  ['PV i16', 197, 64, 197],
] as const;

for (let round = 0; round < 3; round++) {
  for (const [name, m, n, k] of SHAPES) {
    const wide = name === 'PV i16';
    const a = wide ? new Int16Array(m * k) : new Int8Array(m * k);
    for (let i = 0; i < a.length; i++) a[i] = wide ? ((i * 2654435761) >>> 0) % 330 : ((i * 2654435761) >>> 24) - 128;
    const b = new Int8Array(n * k).map((_, i) => ((i * 2246822519) >>> 24) - 128);
    const out = new Int32Array(m * n);
    const packed = packMatrix(b, n, k);
    const scratch = createPackedMatrix();
    const bias = new Int32Array(n);
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 15; i++) {
      const start = performance.now();
      if (name === 'QK^T i8') gemm(out, 0, n, a, 0, k, b, 0, k, 1, m, n, k, null, scratch);
      else if (wide) gemm(out, 0, n, a, 0, k, b, 0, 1, n, m, n, k, null, scratch);
      else gemmPacked(out, 0, n, a, 0, k, m, packed, bias);
      best = Math.min(best, performance.now() - start);
    }
    console.log(`${name} ${m}x${n}x${k}: ${best.toFixed(2)} ms, ${((m * n * k) / best / 1e6).toFixed(2)} GMAC/s`);
  }
}
