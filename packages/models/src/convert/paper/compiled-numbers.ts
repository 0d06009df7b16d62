import { type Dyadic, normalizeDyadic } from '@ivit/dyadic';
import { IvitError } from '@ivit/program';
import type { Dyadics, IntegerLinear } from '../../paper/types.js';
import { biasOf, integersOf, type PaperTensors } from './numbers.js';

/** One requantization of the compiled form; m may be 2^31 and e beyond 62 before normalization. */
export function readDyadics(source: PaperTensors, name: string, count: number, bits?: 8 | 16): Dyadics {
  if (bits !== undefined && integersOf(source, `${name}.bits`, 1, 1, 32)[0] !== bits) {
    throw new IvitError('E_MODEL_UNSUPPORTED', `${name} quantizes to other than ${bits} bits`, {
      where: source.where,
      hint: 'Only the widths of the paper are supported.',
    });
  }
  const multipliers = integersOf(source, `${name}.m`, count, -(2 ** 31), 2 ** 31);
  const exponents = integersOf(source, `${name}.e`, count, 0, 2 ** 15);
  const factors = Array.from(multipliers, (m, index) => normalizeDyadic(m, exponents[index] as number));
  return { m: Int32Array.from(factors, (factor) => factor.m), e: Uint8Array.from(factors, (factor) => factor.e) };
}

export function readDyadic(source: PaperTensors, name: string): Dyadic {
  const { m, e } = readDyadics(source, name, 1);
  return { m: m[0] as number, e: e[0] as number };
}

export function readLinear(source: PaperTensors, name: string, n: number, k: number): IntegerLinear {
  return {
    weight: Int8Array.from(integersOf(source, `${name}.w`, n * k, -128, 127)),
    bias: biasOf(source, `${name}.b`, n),
  };
}
