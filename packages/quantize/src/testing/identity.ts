import { canonicalBytes, type Program } from '@ivit/program';

/** Everything of a program, details included, in one comparable string. */
export function identityOf(program: Program): string {
  const { image, labels, provenance, outputShift } = program;
  return JSON.stringify([[...canonicalBytes(program)], image, labels, provenance, outputShift]);
}
