/** Convert-time parameters and tables of the field's other nonlinear functions. Float64, + - × / only, in a fixed order. */
import { shiftGate } from '../element-shift-gelu.js';
import { nonlinearError } from '../errors.js';
import { checkIGelu, type IGelu, iErf, iGelu } from '../i-gelu.js';
import { checkPolynomialExp, type PolynomialExp } from '../polynomial-exp.js';
import { roundHalfEven } from './float32.js';

function checkScale(scale: number): void {
  if (!(scale > 0) || !Number.isFinite(scale)) throw nonlinearError(`no scale: ${scale}`);
}

/**
 * i-exp (I-BERT, algorithm 2) for x at scale s: ln2 = ⌊ln 2/s⌋, b = ⌊1.353/s⌋, c = ⌊0.344/(0.3585·s²)⌋; the result is in
 * units of 0.3585·s².
 * @throws RangeError (E_NONLINEAR) for a scale beyond ln 2 or so small that e(0) passes 2^53.
 */
export function iExpParameters(scale: number): PolynomialExp {
  checkScale(scale);
  const parameters = {
    ln2: Math.floor(Math.LN2 / scale),
    b: Math.floor(1.353 / scale),
    c: Math.floor(0.344 / (0.3585 * (scale * scale))),
    n: 0,
    square: true,
  };
  checkPolynomialExp(parameters);
  return parameters;
}

/**
 * FQ-ViT's exponential for x at scale s: ln2 = -⌊-0.6931/s⌋, b = ⌊0.96963238/0.35815147/s⌋, c = ⌊1/0.35815147/s²⌋.
 * @param n 0 … 30 (30 in its code): e(0) = c·2^n.
 */
export function fqExpParameters(scale: number, n: number): PolynomialExp {
  checkScale(scale);
  const parameters = {
    ln2: -Math.floor(-0.6931 / scale),
    b: Math.floor(0.96963238 / 0.35815147 / scale),
    c: Math.floor(1 / 0.35815147 / (scale * scale)),
    n,
    square: false,
  };
  checkPolynomialExp(parameters);
  return parameters;
}

/** i-GELU for x at scale s, and the real value of one unit of its result. @throws RangeError (E_NONLINEAR) */
export function iGeluParameters(scale: number): IGelu & { readonly unit: number } {
  checkScale(scale);
  const square = scale * scale * 0.5; // of x/√2
  const parameters = { b: Math.floor(-1.769 / (scale * Math.SQRT1_2)), c: Math.floor(1 / (-0.2888 * square)) };
  checkIGelu(parameters);
  return { ...parameters, unit: scale * (0.2888 * square) * 0.5 };
}

/**
 * i-GELU as the table of `lookup` on int8 at scale s, to i16 at scale `unit`: `rne(iGelu(x)·u/unit)`, entry x + 128.
 * @throws RangeError (E_NONLINEAR) where an entry leaves int16.
 */
export function iGeluTable(scale: number, unit: number): Int16Array {
  checkScale(unit);
  const parameters = iGeluParameters(scale);
  const ratio = parameters.unit / unit;
  return Int16Array.from({ length: 256 }, (_, i) => {
    const entry = roundHalfEven(iGelu(i - 128, parameters) * ratio);
    if (entry > 32767 || entry < -32768) throw nonlinearError(`i-GELU of ${i - 128} leaves int16 at the scale ${unit}`);
    return entry;
  });
}

/** Step of the input of `ramplookup` tables, 2^-7, and units per one of their entries, 2^12. */
const RAMP_STEP = 0.0078125;
const RAMP_UNITS = 4096;

/**
 * i-GELU as the table of `ramplookup` (x in 2^-7, u = 5, y in 2^-12): i-GELU minus max(x, 0) is even, as i-erf is odd, and
 * is 0 from |x| = -b on: `T[i] = rne(2^12·u·i·(erf(i) - |c|))`.
 */
export function iGeluRampTable(): Int16Array {
  const parameters = iGeluParameters(RAMP_STEP);
  const { b, c, unit } = parameters;
  return Int16Array.from(
    { length: 1 - b },
    (_, i) => roundHalfEven(i * (iErf(i, parameters) + c) * unit * RAMP_UNITS) + 0,
  );
}

/** x0 of x in 2^-7 and the n at which M // S of the gate keeps 8 bits (n = 23 would leave it 1 to 3). */
const RAMP_X0 = -76;
const RAMP_N = 16;

/**
 * Element-wise ShiftGELU as the table of `ramplookup`: the gate of -|x| serves both signs,
 * `y = max(x, 0) - |x|·gate(-|x|)`, where the function itself takes the gate of x for positive x, at most 2^-6 away.
 * `T[i] = rne(-i·gate(-i)/4)` with x0 = -76, n = 16, cut behind the last entry that is not 0.
 */
export function shiftGeluRampTable(): Int16Array {
  const entries: number[] = [];
  for (let i = 0; ; i++) {
    entries.push(roundHalfEven(i * shiftGate(-i, RAMP_X0, RAMP_N) * -0.25) + 0);
    if (i > 0 && entries[i] === 0) return Int16Array.from(entries);
  }
}
