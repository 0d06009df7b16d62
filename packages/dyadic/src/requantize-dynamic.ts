/** `requantize` in its row-dynamic form. Rounding: `round-filter.ts`. Nothing is allocated. */
import { INVERSE_POW2, POW2 } from './powers.js';
import { requantizeSumExact } from './requantize.js';
import type { IntegerArray, RequantizeAddend, RequantizeDynamicParameters } from './requantize-types.js';
import { MAGIC, roundDynamicWide, roundWide } from './round-filter.js';

/** One row of the recipes' row-dynamic form, kept free of branches. */
function dynamicRow(
  out: IntegerArray,
  outRow: number,
  x: IntegerArray,
  xRow: number,
  count: number,
  factor: number,
  m: Int32Array,
  e: number,
  z: Int32Array,
  bias: Int32Array,
  biasFactor: number,
  lo: number,
  hi: number,
): void {
  const inverse = INVERSE_POW2[e] as number;
  const magic = e === 0 ? 0 : MAGIC;
  for (let j = 0; j < count; j++) {
    const p = (x[xRow + j] as number) * factor * (m[j] as number) + (bias[j] as number) * biasFactor;
    const y = p * inverse + magic - magic + (z[j] as number);
    out[outRow + j] = y < lo ? lo : y > hi ? hi : y;
  }
}

/** The same with an addend. */
function dynamicAddRow(
  out: IntegerArray,
  outRow: number,
  x: IntegerArray,
  xRow: number,
  count: number,
  factor: number,
  m: Int32Array,
  e: number,
  z: Int32Array,
  bias: Int32Array,
  biasFactor: number,
  lo: number,
  hi: number,
  addend: RequantizeAddend,
  addendRow: number,
): void {
  const inverse = INVERSE_POW2[e] as number;
  const magic = e === 0 ? 0 : MAGIC;
  const values = addend.values;
  const ma = addend.m;
  const addendInverse = INVERSE_POW2[addend.e] as number;
  const addendMagic = addend.e === 0 ? 0 : MAGIC;
  for (let j = 0; j < count; j++) {
    const p = (x[xRow + j] as number) * factor * (m[j] as number) + (bias[j] as number) * biasFactor;
    const first = p * inverse + magic - magic;
    const second = (values[addendRow + j] as number) * ma * addendInverse + addendMagic - addendMagic;
    const y = first + second + (z[j] as number);
    out[outRow + j] = y < lo ? lo : y > hi ? hi : y;
  }
}

/**
 * Row-dynamic form: with row code c, E = c >> 4, f = 16 + (c & 15),
 * `out[r·count + j] = clamp(rne((x[r,channels[j]]·f·m[j]·2^E + bias[j]·2^k)/2^e[j]) + rne(a[r·count + j]·ma/2^ea) + z[j], lo, hi)`.
 *
 * @param codes one u8 row code per row, from `codesOffset`.
 * @param wide false promises |x·f·m·2^E| + |bias·2^k| < 2^52 and |a·ma| < 2^52; true allows 2^62. In both |x·f| ≤ 2^31.
 */
export function requantizeDynamicInto(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  xRowStride: number,
  codes: Uint8Array,
  codesOffset: number,
  rows: number,
  count: number,
  parameters: RequantizeDynamicParameters,
  lo: number,
  hi: number,
  wide: boolean,
  addend: RequantizeAddend | null = null,
  addendOffset = 0,
): void {
  const { m, e, z, channels, bias, k } = parameters;
  const mStep = m.length === 1 ? 0 : 1;
  const eStep = e.length === 1 ? 0 : 1;
  const zStep = z.length === 1 ? 0 : 1;
  const values = addend === null ? null : addend.values;
  const ma = addend === null ? 0 : addend.m;
  const ea = addend === null ? 0 : addend.e;
  const addendInverse = INVERSE_POW2[ea] as number;
  const addendMagic = ea === 0 ? 0 : MAGIC;
  const biasFactor = POW2[k] as number;
  const plain = !wide && eStep === 0 && mStep === 1 && zStep === 1 && channels === null;
  for (let r = 0; r < rows; r++) {
    const xRow = xOffset + r * xRowStride;
    const outRow = outOffset + r * count;
    const addendRow = addendOffset + r * count;
    const code = codes[codesOffset + r] as number;
    const factor = (16 + (code & 15)) * (POW2[code >> 4] as number); // <= 31 * 2^15
    if (plain && bias !== null) {
      const shift = e[0] as number;
      if (addend === null) {
        dynamicRow(out, outRow, x, xRow, count, factor, m, shift, z, bias, biasFactor, lo, hi);
      } else {
        dynamicAddRow(out, outRow, x, xRow, count, factor, m, shift, z, bias, biasFactor, lo, hi, addend, addendRow);
      }
      continue;
    }
    for (let j = 0; j < count; j++) {
      const value = x[xRow + (channels === null ? j : (channels[j] as number))] as number;
      const mj = m[j * mStep] as number;
      const ej = e[j * eStep] as number;
      const bj = bias === null ? 0 : (bias[j] as number);
      let y = z[j * zStep] as number;
      if (wide) {
        if (values !== null && ej < 12 && ea < 12) {
          const a = values[addendRow + j] as number;
          y += requantizeSumExact(value * (16 + (code & 15)), mj, code >> 4, bj, k, ej, a, ma, ea);
        } else {
          y += roundDynamicWide(value, code, factor, mj, bj, biasFactor, k, ej);
          if (values !== null) y += roundWide(values[addendRow + j] as number, ma, ea);
        }
      } else {
        const magic = ej === 0 ? 0 : MAGIC;
        y += (value * factor * mj + bj * biasFactor) * (INVERSE_POW2[ej] as number) + magic - magic;
        if (values !== null) {
          y += (values[addendRow + j] as number) * ma * addendInverse + addendMagic - addendMagic;
        }
      }
      out[outRow + j] = y < lo ? lo : y > hi ? hi : y;
    }
  }
}
