/**
 * `requantize` over arrays. Formulas as in `requantize.ts`, then `clamp(· + addend + z, lo, hi)`, stored as an integer.
 *
 * Narrow (`wide` false; the caller proved every numerator below 2^52 in absolute value): with MAGIC = 1.5·2^52,
 * `(p·2^-e + MAGIC) - MAGIC` is rne(p/2^e) exactly. Proof: p·2^-e is exact (only the exponent changes) and, for e ≥ 1,
 * below 2^51, so the sum lies in [2^52, 2^53], where doubles are the integers: IEEE 754 rounds the exact sum to the
 * nearest integer, ties to even, and MAGIC is even, so ties go to the even quotient. The subtraction is exact. The
 * result is never -0. For e = 0 there is nothing to round (MAGIC is replaced by 0).
 *
 * Wide (|numerator| < 2^62): the same on the rounded numerator; its error is below 2^10 (a product below 2^63 and a sum
 * below 2^62, half an ulp each), so the quotient's error is below 2^(10-e). If the approximate quotient is no nearer than
 * 2^(11-e) to a tie, the rounding is the exact one; else (about once in 2^(e-12) elements) the exact path decides.
 * For e < 12 always the exact path.
 *
 * Nothing is allocated. Measured (Node 20, Zen 4): see the README.
 */
import { INVERSE_POW2, POW2 } from './powers.js';
import { requantizeExact, requantizeOne, requantizeSumExact } from './requantize.js';

/** What the loops read and write. */
export type IntegerArray = Uint8Array | Int8Array | Int16Array | Int32Array;

/** An added operand laid out like the result: element i of the result adds `values[offset + i]·m·2^-e`, rounded alone. */
export interface RequantizeAddend {
  readonly values: IntegerArray;
  readonly m: number;
  readonly e: number;
}

/** Per-channel parameters; each of `m`, `e`, `z` has length 1 (shared) or one entry per result channel. */
export interface RequantizeParameters {
  readonly m: Int32Array;
  readonly e: Uint8Array;
  readonly z: Int32Array;
  /** Source channel of each result channel; null: the same channel. */
  readonly channels: Int32Array | Uint16Array | null;
}

/** Parameters of the row-dynamic form: `bias` one entry per result channel, or null for none. */
export interface RequantizeDynamicParameters extends RequantizeParameters {
  readonly bias: Int32Array | null;
  /** Shift of the bias, 0 … 62. */
  readonly k: number;
}

const MAGIC = 6755399441055744; // 1.5 * 2^52

function guards(): readonly number[] {
  const table: number[] = [];
  for (let e = 0; e <= 62; e++) table.push(e < 12 ? -1 : 0.5 - 2048 * (INVERSE_POW2[e] as number));
  return table;
}

/** Largest distance from the rounded quotient that proves the rounding, per e. */
const GUARD: readonly number[] = /* @__PURE__ */ guards();

/** rne(x·m/2^e) by the filter, |x·m| < 2^62. */
function roundWide(x: number, m: number, e: number): number {
  const approximate = x * m * (INVERSE_POW2[e] as number);
  const q = approximate + MAGIC - MAGIC;
  const distance = approximate - q;
  const guard = GUARD[e] as number;
  return distance <= guard && distance >= -guard ? q : requantizeOne(x, m, e);
}

/**
 * One run with shared parameters: `out[i] = clamp(rne(x[i]·m/2^e) + rne(a[i]·ma/2^ea) + z, lo, hi)`, i in 0 … count-1.
 *
 * @param wide false promises |x·m| < 2^52 and |a·ma| < 2^52; true allows 2^62.
 * @param addendOffset index in `addend.values` of element 0.
 */
export function requantizeInto(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  count: number,
  m: number,
  e: number,
  z: number,
  lo: number,
  hi: number,
  wide: boolean,
  addend: RequantizeAddend | null = null,
  addendOffset = 0,
): void {
  if (addend !== null) {
    requantizeAddInto(out, outOffset, x, xOffset, count, m, e, z, lo, hi, wide, addend, addendOffset);
    return;
  }
  if (wide) {
    for (let i = 0; i < count; i++) {
      const y = roundWide(x[xOffset + i] as number, m, e) + z;
      out[outOffset + i] = y < lo ? lo : y > hi ? hi : y;
    }
    return;
  }
  const inverse = INVERSE_POW2[e] as number;
  const magic = e === 0 ? 0 : MAGIC;
  for (let i = 0; i < count; i++) {
    const y = (x[xOffset + i] as number) * m * inverse + magic - magic + z;
    out[outOffset + i] = y < lo ? lo : y > hi ? hi : y;
  }
}

function requantizeAddInto(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  count: number,
  m: number,
  e: number,
  z: number,
  lo: number,
  hi: number,
  wide: boolean,
  addend: RequantizeAddend,
  addendOffset: number,
): void {
  const values = addend.values;
  const ma = addend.m;
  const ea = addend.e;
  if (wide) {
    for (let i = 0; i < count; i++) {
      const y = sumWide(x[xOffset + i] as number, m, e, values[addendOffset + i] as number, ma, ea) + z;
      out[outOffset + i] = y < lo ? lo : y > hi ? hi : y;
    }
    return;
  }
  const inverse = INVERSE_POW2[e] as number;
  const magic = e === 0 ? 0 : MAGIC;
  const addendInverse = INVERSE_POW2[ea] as number;
  const addendMagic = ea === 0 ? 0 : MAGIC;
  for (let i = 0; i < count; i++) {
    const first = (x[xOffset + i] as number) * m * inverse + magic - magic;
    const second = (values[addendOffset + i] as number) * ma * addendInverse + addendMagic - addendMagic;
    const y = first + second + z;
    out[outOffset + i] = y < lo ? lo : y > hi ? hi : y;
  }
}

/** Both terms by the filter; below e = 12 a term may be huge, so the exact sum decides. */
function sumWide(x: number, m: number, e: number, a: number, ma: number, ea: number): number {
  if (e < 12 && ea < 12) return requantizeSumExact(x, m, 0, 0, 0, e, a, ma, ea);
  return roundWide(x, m, e) + roundWide(a, ma, ea);
}

/**
 * Rows with one set of parameters per channel (the last axis):
 * `out[r·count + j] = clamp(rne(x[r·xRowStride + channels[j]]·m[j]/2^e[j]) + rne(a[r·count + j]·ma/2^ea) + z[j], lo, hi)`.
 *
 * @param count channels of the result.
 * @param xRowStride elements between rows of x: its channel count.
 * @param wide as in {@link requantizeInto}.
 */
export function requantizeChannelsInto(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  xRowStride: number,
  rows: number,
  count: number,
  parameters: RequantizeParameters,
  lo: number,
  hi: number,
  wide: boolean,
  addend: RequantizeAddend | null = null,
  addendOffset = 0,
): void {
  const { m, e, z, channels } = parameters;
  const mStep = m.length === 1 ? 0 : 1;
  const eStep = e.length === 1 ? 0 : 1;
  const zStep = z.length === 1 ? 0 : 1;
  const values = addend === null ? null : addend.values;
  const ma = addend === null ? 0 : addend.m;
  const ea = addend === null ? 0 : addend.e;
  const addendInverse = INVERSE_POW2[ea] as number;
  const addendMagic = ea === 0 ? 0 : MAGIC;
  for (let r = 0; r < rows; r++) {
    const xRow = xOffset + r * xRowStride;
    const outRow = outOffset + r * count;
    const addendRow = addendOffset + r * count;
    if (wide) {
      for (let j = 0; j < count; j++) {
        const source = channels === null ? j : (channels[j] as number);
        const value = x[xRow + source] as number;
        const mj = m[j * mStep] as number;
        const ej = e[j * eStep] as number;
        const sum =
          values === null ? roundWide(value, mj, ej) : sumWide(value, mj, ej, values[addendRow + j] as number, ma, ea);
        const y = sum + (z[j * zStep] as number);
        out[outRow + j] = y < lo ? lo : y > hi ? hi : y;
      }
      continue;
    }
    if (eStep === 0 && mStep === 1 && zStep === 1 && values === null && channels === null) {
      // The recipes' form, kept free of branches.
      const inverse = INVERSE_POW2[e[0] as number] as number;
      const magic = e[0] === 0 ? 0 : MAGIC;
      for (let j = 0; j < count; j++) {
        const y = (x[xRow + j] as number) * (m[j] as number) * inverse + magic - magic + (z[j] as number);
        out[outRow + j] = y < lo ? lo : y > hi ? hi : y;
      }
      continue;
    }
    for (let j = 0; j < count; j++) {
      const source = channels === null ? j : (channels[j] as number);
      const ej = e[j * eStep] as number;
      const magic = ej === 0 ? 0 : MAGIC;
      const p = (x[xRow + source] as number) * (m[j * mStep] as number);
      let y = p * (INVERSE_POW2[ej] as number) + magic - magic + (z[j * zStep] as number);
      if (values !== null) {
        y += (values[addendRow + j] as number) * ma * addendInverse + addendMagic - addendMagic;
      }
      out[outRow + j] = y < lo ? lo : y > hi ? hi : y;
    }
  }
}

/** rne((x·f·m·2^E + bias·2^k)/2^e) by the filter; `factor` = f·2^E. */
function roundDynamicWide(
  x: number,
  code: number,
  factor: number,
  m: number,
  bias: number,
  biasFactor: number,
  k: number,
  e: number,
): number {
  const approximate = (x * factor * m + bias * biasFactor) * (INVERSE_POW2[e] as number);
  const q = approximate + MAGIC - MAGIC;
  const distance = approximate - q;
  const guard = GUARD[e] as number;
  if (distance <= guard && distance >= -guard) return q;
  return requantizeExact(x * (16 + (code & 15)), m, code >> 4, bias, k, e);
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
  for (let r = 0; r < rows; r++) {
    const xRow = xOffset + r * xRowStride;
    const outRow = outOffset + r * count;
    const addendRow = addendOffset + r * count;
    const code = codes[codesOffset + r] as number;
    const factor = (16 + (code & 15)) * (POW2[code >> 4] as number); // <= 31 * 2^15
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
