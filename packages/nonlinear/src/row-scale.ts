/**
 * The row-dynamic pair (docs/spec, `rowscale` and `rowquantize`): every int16 row gets its own int8 scale f·2^(E-4), on a
 * grid of 16 steps per octave, as in dynamic integer-only matmuls (I-LLM). Row code = 16·E + f - 16, f in 16 … 31.
 */
import { bitLength, divFloor, divRne, INVERSE_POW2, type IntegerArray } from '@ivit/dyadic';
import { nonlinearError } from './errors.js';

/** `INV[f] = rne(2^19 / f)`, f in 16 … 31; entries below 16 are unused. At most 2^15. */
const INVERSE_FACTOR: readonly number[] = /* @__PURE__ */ Array.from({ length: 32 }, (_, f) =>
  f < 16 ? 0 : divRne(524288, f),
);

/** Code of the smallest grid scale D/16: `E = max(0, bitlength(D) - 5)`, `f = ceil(D/2^E)`, carried when f = 32. */
function codeOf(d: number): number {
  const excess = bitLength(d) - 5;
  let e = excess > 0 ? excess : 0;
  let f = -Math.floor(-d * (INVERSE_POW2[e] as number));
  if (f === 32) {
    f = 16;
    e += 1;
  }
  return 16 * e + f - 16;
}

/**
 * `D = max(16, max_c ceil(16·max(x_c,0)/cp_c), max_c ceil(16·max(-x_c,0)/cn_c))`, out = its row code.
 * x: int16, dense rows; cp, cn of length 1 or `length`, entries ≥ 7, so D ≤ 74899 and E ≤ 12.
 * @throws RangeError (E_NONLINEAR) for other lengths of cp or cn.
 */
export function rowScale(
  out: Uint8Array,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  rows: number,
  length: number,
  cp: Int32Array,
  cn: Int32Array,
): void {
  if (length < 1) throw nonlinearError(`rows of ${length} elements`);
  if ((cp.length !== 1 && cp.length !== length) || (cn.length !== 1 && cn.length !== length)) {
    throw nonlinearError(`${cp.length} and ${cn.length} bounds for ${length} channels`);
  }
  const pStep = cp.length === 1 ? 0 : 1;
  const nStep = cn.length === 1 ? 0 : 1;
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * length;
    let d = 16;
    for (let c = 0; c < length; c++) {
      const scaled = 16 * (x[from + c] as number);
      // Divide only when the row's D grows: ceil(a/b) > d exactly when a > d·b.
      if (scaled >= 0) {
        const bound = cp[c * pStep] as number;
        if (scaled > d * bound) d = -divFloor(-scaled, bound);
      } else {
        const bound = cn[c * nStep] as number;
        if (-scaled > d * bound) d = -divFloor(scaled, bound);
      }
    }
    out[outOffset + r] = codeOf(d);
  }
}

/**
 * `v = (x[channels[j]]·INV[f] + 2^(14+E)) >> (15+E)`; `out = clamp_i8(v + z - 255·slot[j])`: int16 rows of `length` to int8
 * rows of `count`. |x·INV[f]| ≤ 2^30 and 2^(14+E) ≤ 2^29: int32 throughout.
 * @param codes one row code per row, from `codesOffset`.
 * @param count channels of the result: `length` when `channels` is null.
 * @throws RangeError (E_NONLINEAR) if `count` fits neither.
 */
export function rowQuantize(
  out: IntegerArray,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  codes: Uint8Array,
  codesOffset: number,
  rows: number,
  length: number,
  count: number,
  z: number,
  channels: Int32Array | Uint16Array | null = null,
  slot: Int8Array | null = null,
): void {
  if ((channels === null && count !== length) || (channels !== null && channels.length < count)) {
    throw nonlinearError(`${count} channels of ${length} without a source each`);
  }
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * length;
    const to = outOffset + r * count;
    const code = codes[codesOffset + r] as number;
    const inverse = INVERSE_FACTOR[16 + (code & 15)] as number;
    const shift = 15 + (code >> 4);
    const half = 1 << (shift - 1);
    for (let j = 0; j < count; j++) {
      const value = x[from + (channels === null ? j : (channels[j] as number))] as number;
      let y = ((Math.imul(value, inverse) + half) >> shift) + z;
      if (slot !== null) y -= 255 * (slot[j] as number);
      out[to + j] = y < -128 ? -128 : y > 127 ? 127 : y;
    }
  }
}
