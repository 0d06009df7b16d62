import { IvitError } from '../error.js';
import type { Op, ValueType } from '../types.js';
import { OpContext, type OpResult, type Source } from './context.js';
import { inferConcat, inferGather, inferMean } from './movement.js';
import { inferLayernorm, inferLookup, inferRamplookup, inferShiftgelu, inferSoftmax } from './nonlinear.js';
import { inferLinear, inferMatmul } from './products.js';
import { inferRequantize, inferRowquantize, inferRowscale } from './scaling.js';

/**
 * Type, proved interval and cost of an op's result.
 *
 * @param declared type the program declares for the result (only `gather` takes its shape from there)
 * @throws IvitError E_PROGRAM_… naming op and field
 */
export function infer(op: Op, index: number, source: Source, declared?: ValueType): OpResult {
  const context = new OpContext(source, op, index);
  const result = inferWith(context, op, index, declared);
  return { ...result, viewBytes: context.viewBytes };
}

function inferWith(context: OpContext, op: Op, index: number, declared: ValueType | undefined): OpResult {
  switch (op.op) {
    case 'requantize':
      return inferRequantize(op, context);
    case 'rowscale':
      return inferRowscale(op, context);
    case 'rowquantize':
      return inferRowquantize(op, context);
    case 'linear':
      return inferLinear(op, context);
    case 'matmul':
      return inferMatmul(op, context);
    case 'softmax':
      return inferSoftmax(op, context);
    case 'shiftgelu':
      return inferShiftgelu(op, context);
    case 'layernorm':
      return inferLayernorm(op, context);
    case 'lookup':
      return inferLookup(op, context);
    case 'ramplookup':
      return inferRamplookup(op, context);
    case 'mean':
      return inferMean(op, context);
    case 'gather':
      return inferGather(op, context, declared);
    case 'concat':
      return inferConcat(op, context);
    default:
      throw unknownOp(op, index);
  }
}

function unknownOp(op: never, index: number): IvitError {
  const name = String((op as { op?: unknown }).op);
  return new IvitError('E_PROGRAM_OP', `there is no op '${name}' in ivit/1`, { where: `ops[${index}]` });
}
