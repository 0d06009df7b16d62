import { GELU_INPUT_STEP_BITS, GELU_RAMP, GELU_TABLE_LENGTH, gelu } from '@ivit/models';
import { powerOfTwo, roundHalfEven } from './numeric.js';

/**
 * The even table of `ramplookup`: T[i] = rne(2^12·(GELU(i/128) - i/128)), i16[577], last entry 0, so that
 * max(x,0)·2^5 + T[min(|x|,576)] is GELU of x/128 in units of 2^-12.
 */
export function geluRampTable(): Int16Array {
  const table = new Int16Array(GELU_TABLE_LENGTH);
  const scale = powerOfTwo(GELU_INPUT_STEP_BITS + GELU_RAMP);
  for (let i = 0; i < GELU_TABLE_LENGTH - 1; i += 1) {
    const x = i * powerOfTwo(-GELU_INPUT_STEP_BITS);
    table[i] = roundHalfEven(scale * (gelu(x) - x));
  }
  return table;
}
