import { IvitError, type Op, type ValidatedProgram } from '@ivit/program';
import type { OperandReader } from './operands.js';
import { concatStep, gatherStep, lookupStep, meanStep } from './steps/movement.js';
import { layernormStep, ramplookupStep, shiftgeluStep, softmaxStep } from './steps/nonlinear.js';
import { linearStep, matmulStep } from './steps/products.js';
import { requantizeStep, rowquantizeStep, rowscaleStep } from './steps/scaling.js';

/** One op bound to its memory: `run` reads its operands and writes its result. */
export interface Step {
  readonly result: string;
  run(): void;
}

function createStep(op: Op, program: ValidatedProgram, reader: OperandReader): () => void {
  switch (op.op) {
    case 'requantize':
      return requantizeStep(op, program, reader);
    case 'rowscale':
      return rowscaleStep(op, reader);
    case 'rowquantize':
      return rowquantizeStep(op, reader);
    case 'linear':
      return linearStep(op, reader);
    case 'matmul':
      return matmulStep(op, reader);
    case 'softmax':
      return softmaxStep(op, reader);
    case 'shiftgelu':
      return shiftgeluStep(op, reader);
    case 'layernorm':
      return layernormStep(op, reader);
    case 'lookup':
      return lookupStep(op, reader);
    case 'ramplookup':
      return ramplookupStep(op, reader);
    case 'mean':
      return meanStep(op, reader);
    case 'gather':
      return gatherStep(op, reader);
    case 'concat':
      return concatStep(op, reader);
    default:
      op satisfies never;
      throw new IvitError('E_UNSUPPORTED_OP', 'The reference backend does not know this op');
  }
}

export function createSteps(program: ValidatedProgram, reader: OperandReader): readonly Step[] {
  return program.ops.map((op) => ({ result: op.result, run: createStep(op, program, reader) }));
}
