import type { Operand, ProgramBuilder } from '@ivit/program';
import type { RecipeEdge, RecipeFactors } from './recipe-types.js';

/** What a norm reads: the i16 stream `x [N,D]`, or its 8-bit form where there are factors. */
export function normInput(
  builder: ProgramBuilder,
  name: string,
  x: string,
  { factors }: Pick<RecipeEdge, 'factors'>,
): Operand {
  return { value: factors === undefined ? x : addFactors(builder, name, x, factors) };
}

/** The i16 stream in 8 bits with a factor per channel, `NAME.narrow`, and as i16 again, `NAME.input`. */
function addFactors(builder: ProgramBuilder, name: string, x: string, factors: RecipeFactors): string {
  const { m, e, z, alpha } = factors;
  const width = alpha.length;
  const channels = { axis: 1, run: 1 } as const;
  const perChannel = (part: string, dtype: 'u8' | 'i32', entryOf: (shift: number) => number) => ({
    constant: builder.constant(`${name}.${part}`, dtype, [width], alpha.map(entryOf)),
  });
  builder.add({
    op: 'requantize',
    result: `${name}.narrow`,
    x: { value: x },
    m,
    e: perChannel('narrow.e', 'u8', (shift) => e + shift),
    z,
    ...channels,
    to: 'i8',
  });
  return builder.add({
    op: 'requantize',
    result: `${name}.input`,
    x: { value: `${name}.narrow` },
    m: perChannel('input.m', 'i32', (shift) => 1 << shift),
    e: 0,
    z: perChannel('input.z', 'i32', (shift) => 0 - z * (1 << shift)),
    ...channels,
    to: 'i16',
  });
}
