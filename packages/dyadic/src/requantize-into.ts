/**
 * `requantize` over one run of elements with shared parameters. How it rounds, and why that is exact: `round-filter.ts`.
 * Nothing is allocated. Speeds: README.
 */
import { INVERSE_POW2 } from './powers.js';
import type { IntegerArray, RequantizeAddend } from './requantize-types.js';
import { MAGIC, roundWide, sumWide } from './round-filter.js';

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
