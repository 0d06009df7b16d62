import type { Operand } from '@ivit/program';
import type { Tensor } from './tensor.js';

/** What an op reads, resolved. */
export interface Operands {
  /** A value or a constant under its view, dense. */
  read(operand: Operand): Tensor;
  constant(name: string): Tensor;
}
