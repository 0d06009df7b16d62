const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

/** Nearest IEEE 754 binary16, ties to even; beyond 65504 infinity. Not for NaN, which no weight is. */
function toHalf(number: number): number {
  value[0] = number;
  const whole = bits[0] as number;
  const sign = (whole >>> 16) & 0x8000;
  const magnitude = whole & 0x7fffffff;
  // From halfway between the largest half and the next power of two.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below the smallest normal half the last place stays at 2^-24.
  if (magnitude < 0x38800000) return sign | roundEven(Math.abs(number) * 2 ** 24);
  const kept = magnitude - (112 << 23);
  return sign | ((kept + 0xfff + ((kept >>> 13) & 1)) >>> 13);
}

function roundEven(number: number): number {
  const down = Math.floor(number);
  const rest = number - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

/** Bit patterns of the nearest half-precision numbers. */
export function toHalves(numbers: Float32Array): Uint16Array {
  return Uint16Array.from(numbers, toHalf);
}
