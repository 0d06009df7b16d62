/** `requantize` with parameters per channel of the last axis. Rounding: `round-filter.ts`. Nothing is allocated. */
import { INVERSE_POW2 } from './powers.js';
import type { IntegerArray, RequantizeAddend, RequantizeParameters } from './requantize-types.js';
import { MAGIC, roundWide, sumWide } from './round-filter.js';

/** One row of the recipes' form: one shift, nothing added; kept free of branches. */
function channelsRow(
  out: IntegerArray,
  outRow: number,
  x: IntegerArray,
  xRow: number,
  count: number,
  m: Int32Array,
  e: number,
  z: Int32Array,
  lo: number,
  hi: number,
): void {
  const inverse = INVERSE_POW2[e] as number;
  const magic = e === 0 ? 0 : MAGIC;
  for (let j = 0; j < count; j++) {
    const y = (x[xRow + j] as number) * (m[j] as number) * inverse + magic - magic + (z[j] as number);
    out[outRow + j] = y < lo ? lo : y > hi ? hi : y;
  }
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
      channelsRow(out, outRow, x, xRow, count, m, e[0] as number, z, lo, hi);
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
