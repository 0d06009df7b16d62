import { IvitError } from '@ivit/program';
import { quoteName } from '../json/cursor.js';
import type { TensorEntry, TensorSource } from './types.js';

/**
 * Bits of the IEEE binary32 number equal to the binary16 number with these 16 bits; NaN payloads are kept.
 * binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits; binary32: 1, 8 (bias 127), 23.
 */
export function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // Subnormal: fraction · 2^-24. Move its leading one to bit 10; it becomes the implicit one.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13)) >>> 0;
}

/**
 * The elements of a float tensor, row-major, in fresh memory. F32, F16 and BF16 exactly, subnormals, infinities and
 * NaN included; F64 rounded to nearest, ties to even (above the largest binary32: infinity; use {@link toFloat64} to
 * keep it).
 *
 * @throws IvitError E_TENSOR_DTYPE for any other dtype.
 */
export function toFloat32(entry: TensorSource): Float32Array {
  const { bytes, dtype } = entry;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case 'F32': {
      const values = new Float32Array(bytes.length >> 2);
      for (let index = 0; index < values.length; index += 1) values[index] = view.getFloat32(4 * index, true);
      return values;
    }
    case 'F64': {
      const values = new Float32Array(bytes.length >> 3);
      for (let index = 0; index < values.length; index += 1) values[index] = view.getFloat64(8 * index, true);
      return values;
    }
    case 'F16': {
      const bits = new Uint32Array(bytes.length >> 1);
      for (let index = 0; index < bits.length; index += 1)
        bits[index] = halfToFloatBits(view.getUint16(2 * index, true));
      return new Float32Array(bits.buffer);
    }
    case 'BF16': {
      // The upper half of a binary32.
      const bits = new Uint32Array(bytes.length >> 1);
      for (let index = 0; index < bits.length; index += 1) bits[index] = view.getUint16(2 * index, true) << 16;
      return new Float32Array(bits.buffer);
    }
    default:
      return refuseDType(entry, 'F32, F16, BF16 or F64');
  }
}

/**
 * The elements of a float tensor (F64, F32, F16, BF16), row-major, exactly, in fresh memory.
 *
 * @throws IvitError E_TENSOR_DTYPE for any other dtype.
 */
export function toFloat64(entry: TensorSource): Float64Array {
  if (entry.dtype !== 'F64') return Float64Array.from(toFloat32(entry));
  const { bytes } = entry;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array(bytes.length >> 3);
  for (let index = 0; index < values.length; index += 1) values[index] = view.getFloat64(8 * index, true);
  return values;
}

/**
 * Refuses NaN and infinities.
 *
 * @param name the tensor's name, for the error.
 * @throws IvitError E_NON_FINITE with the tensor and the index of its first such element.
 */
export function assertFinite(values: Float32Array | Float64Array, name: string, where?: string): void {
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    if (Number.isFinite(value)) continue;
    const place = where === undefined ? '' : `${where}, `;
    throw new IvitError('E_NON_FINITE', `an element is ${value}`, {
      where: `${place}tensor ${quoteName(name)}, element ${index}`,
      hint: 'Training diverged or the export overflowed (fp16 ends at 65504): export the checkpoint again.',
    });
  }
}

function refuseDType(entry: TensorSource | TensorEntry, wanted: string): never {
  const byte = 'offset' in entry ? `, byte ${entry.offset}` : '';
  throw new IvitError('E_TENSOR_DTYPE', `the tensor is ${entry.dtype}, wanted ${wanted}`, {
    where: `tensor ${quoteName(entry.name)}${byte}`,
    hint: 'Export the checkpoint with this tensor in a wanted dtype.',
  });
}
