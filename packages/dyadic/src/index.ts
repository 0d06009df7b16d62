export { type Dyadic, normalizeDyadic } from './dyadic.js';
export type { DyadicError } from './errors.js';
export { bitLength, divFloor, divRne, INT32_MAX, rneShift, saturate } from './integer.js';
export { INVERSE_POW2, MAX_POWER, POW2 } from './powers.js';
export { requantizeOne, requantizeRowOne, requantizeSum, requantizeSumExact } from './requantize.js';
export { requantizeChannelsInto } from './requantize-channels.js';
export { requantizeDynamicInto } from './requantize-dynamic.js';
export { requantizeInto } from './requantize-into.js';
export type {
  IntegerArray,
  RequantizeAddend,
  RequantizeDynamicParameters,
  RequantizeParameters,
} from './requantize-types.js';
