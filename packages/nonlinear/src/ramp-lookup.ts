import type { IntegerArray } from '@ivit/dyadic';
import { nonlinearError } from './errors.js';

/**
 * `y = max(x, 0)·2^u + table[min(|x|, D-1)]` over `count` elements (docs/spec, `ramplookup`): a function that is 0 on the far
 * left and the ramp x·2^u on the far right, such as GELU. x int16, table i16[D] with last entry 0, 0 ≤ u ≤ 8; |y| < 2^24.
 * @throws RangeError (E_NONLINEAR) for an empty table or u outside 0 … 8.
 */
export function rampLookup(
  out: Int32Array,
  outOffset: number,
  x: IntegerArray,
  xOffset: number,
  count: number,
  table: Int16Array,
  u: number,
): void {
  if (table.length === 0) throw nonlinearError('an empty table');
  if (!Number.isInteger(u) || u < 0 || u > 8) throw nonlinearError(`u ${u} is not in 0 … 8`);
  const last = table.length - 1;
  for (let i = 0; i < count; i++) {
    const value = x[xOffset + i] as number;
    const size = value < 0 ? -value : value;
    out[outOffset + i] = (value > 0 ? value << u : 0) + (table[size < last ? size : last] as number);
  }
}
