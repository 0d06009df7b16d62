/**
 * Errors of the nonlinear functions against the real ones, as the README quotes them:
 * `node --conditions=@ivit/source --import tsx packages/nonlinear/bench/errors.ts`
 */
import {
  elementShiftGelu,
  iErf,
  iGelu,
  layerNormRows,
  log2SoftmaxRows,
  polynomialExp,
  polynomialExpTable,
  shiftExp,
  shiftExpTable,
  softmaxRows,
  sqrtLayerNormRows,
} from '@ivit/nonlinear';
import {
  erf,
  fqExpParameters,
  geluRampTable,
  iExpParameters,
  iGeluParameters,
  iGeluRampTable,
  shiftGeluRampTable,
} from '@ivit/nonlinear/convert';

const noise = (i: number): number => (Math.imul(i + 1, 0x9e3779b1) >>> 0) / 2 ** 32;
const normal = (i: number): number => {
  let sum = -6;
  for (let k = 0; k < 12; k++) sum += noise(12 * i + k);
  return sum;
};
const gelu = (x: number): number => (x / 2) * (1 + erf(x * Math.SQRT1_2));
const line = (name: string, errors: readonly number[], digits = 5): void => {
  const sizes = errors.map(Math.abs);
  const mean = sizes.reduce((a, b) => a + b, 0) / sizes.length;
  console.log(`${name}: largest ${Math.max(...sizes).toFixed(digits)}, mean ${mean.toFixed(digits)}`);
};
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const fine = iExpParameters(2 ** -10);
const fq = fqExpParameters(2 ** -10, 12);
const distances = range(-8000, 0);
line(
  'exp, I-BERT',
  distances.map((x) => polynomialExp(x, fine) * 0.3585 * 2 ** -20 - Math.exp(x / 1024)),
);
line(
  'exp, FQ-ViT',
  distances.map((x) => polynomialExp(x, fq) * 0.35815147 * 2 ** -32 - Math.exp(x / 1024)),
);
line(
  'exp, shift',
  distances.map((x) => shiftExp(x, -1024, 15) / (1024 * 2 ** 15) - Math.exp(x / 1024)),
);
line(
  'exp, I-BERT, relative',
  distances.map((x) => (polynomialExp(x, fine) * 0.3585 * 2 ** -20) / Math.exp(x / 1024) - 1),
);
line(
  'exp, FQ-ViT, relative',
  distances.map((x) => (polynomialExp(x, fq) * 0.35815147 * 2 ** -32) / Math.exp(x / 1024) - 1),
);
line(
  'exp, shift, relative',
  distances.map((x) => shiftExp(x, -1024, 15) / (1024 * 2 ** 15) / Math.exp(x / 1024) - 1),
);

const KEYS = 197;
for (const [name, scale] of [
  ['σ 1', 1],
  ['σ 3', 3],
] as const) {
  const errors: Record<string, number[]> = { shift: [], 'I-BERT': [], pow2: [], log2: [] };
  const sums: number[] = [];
  for (let row = 0; row < 200; row++) {
    const x = Float64Array.from({ length: KEYS }, (_, i) => scale * normal(row * KEYS + i));
    const e = x.map((value) => Math.exp(value));
    const sum = e.reduce((a, b) => a + b, 0);
    const at = (unit: number): Int16Array => Int16Array.from(x, (value) => Math.round(value / unit));
    const take = (to: number[], out: ArrayLike<number>, real: (y: number) => number): void => {
      for (let i = 0; i < KEYS; i++) to.push(real(out[i] as number) - (e[i] as number) / sum);
    };
    const out = new Int16Array(KEYS);
    softmaxRows(out, 0, at(1 / 64), 0, 1, KEYS, { table: shiftExpTable(-64, 15) }, 16);
    take(errors['shift'] as number[], out, (y) => y / 32768);
    softmaxRows(out, 0, at(1 / 256), 0, 1, KEYS, { table: polynomialExpTable(iExpParameters(1 / 256)) }, 16);
    take(errors['I-BERT'] as number[], out, (y) => y / 32768);
    softmaxRows(out, 0, at(Math.LN2 / 256), 0, 1, KEYS, { pow2: 8 }, 16);
    take(errors['pow2'] as number[], out, (y) => y / 32768);
    const codes = new Uint8Array(KEYS);
    log2SoftmaxRows(codes, 0, at(1 / 256), 0, 1, KEYS, { table: polynomialExpTable(fqExpParameters(1 / 256, 5)) }, 4);
    take(errors['log2'] as number[], codes, (y) => 2 ** -y);
    sums.push(codes.reduce((a, y) => a + 2 ** -y, 0));
  }
  for (const [form, list] of Object.entries(errors)) line(`softmax, 197 keys, ${name}, ${form}`, list, 6);
  line(
    `row sums of log2, ${name}, minus 1`,
    sums.map((s) => s - 1),
  );
}

const xs = range(-8192, 8192);
const p = iGeluParameters(2 ** -10);
line(
  'erf, I-BERT',
  xs.map((x) => iErf(x, p) / -p.c - erf((x / 1024) * Math.SQRT1_2)),
);
line(
  'GELU, I-BERT',
  xs.map((x) => iGelu(x, p) * p.unit - gelu(x / 1024)),
);
for (const [name, table] of [
  ['exact', geluRampTable()],
  ['I-BERT', iGeluRampTable()],
  ['shift', shiftGeluRampTable()],
] as const) {
  const y = (x: number): number => Math.max(x, 0) * 32 + (table[Math.min(Math.abs(x), table.length - 1)] as number);
  line(
    `GELU, ramp table, ${name}`,
    range(-1024, 1024).map((x) => y(x) / 4096 - gelu(x / 128)),
  );
}
for (const top of [2, 4, 8]) {
  const s = top / 127;
  const x0 = Math.floor(-1 / (s * 1.702));
  line(
    `GELU, element-wise shift on int8, range ${top}`,
    range(-127, 127).map((x) => (elementShiftGelu(x, x0, 16) * s) / 128 - gelu(x * s)),
  );
  const i8 = iGeluParameters(s);
  line(
    `GELU, I-BERT on int8, range ${top}`,
    range(-127, 127).map((x) => iGelu(x, i8) * i8.unit - gelu(x * s)),
  );
}

for (const deviation of [1000, 100, 30, 10, 3]) {
  const errors: Record<string, number[]> = { newton: [], root: [] };
  for (let row = 0; row < 100; row++) {
    const x = Int16Array.from({ length: 192 }, (_, i) => Math.round(deviation * normal(row * 192 + i)));
    const mean = x.reduce((a, b) => a + b, 0) / 192;
    const sigma = Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / 192);
    const out: number[] = [];
    const unit = Math.sqrt(192) / 2 ** 30;
    layerNormRows(out, 0, x, 0, 1, 192, null);
    for (const [i, y] of out.entries()) errors['newton']?.push(y * unit - ((x[i] as number) - mean) / sigma);
    sqrtLayerNormRows(out, 0, x, 0, 1, 192, null);
    for (const [i, y] of out.entries()) errors['root']?.push(y * unit - ((x[i] as number) - mean) / sigma);
  }
  line(`LayerNorm, σ ${deviation}, ten steps`, errors['newton'] as number[]);
  line(`LayerNorm, σ ${deviation}, exact root`, errors['root'] as number[]);
}
