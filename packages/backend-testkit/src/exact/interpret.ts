import type { Op, Program, ValueType } from '@ivit/program';
import type { IntegerArray } from '@ivit/tensor';
import { concat, gather, lookup, mean } from './movement.js';
import { layernorm, ramplookup, shiftgelu, softmax } from './nonlinear.js';
import type { Operands } from './operands.js';
import { linear, matmul } from './products.js';
import { requantize, rowquantize, rowscale } from './scaling.js';
import { see, type Tensor } from './tensor.js';

function evaluate(op: Op, operands: Operands, result: ValueType): Tensor {
  switch (op.op) {
    case 'requantize':
      return requantize(op, operands);
    case 'rowscale':
      return rowscale(op, operands);
    case 'rowquantize':
      return rowquantize(op, operands);
    case 'linear':
      return linear(op, operands);
    case 'matmul':
      return matmul(op, operands);
    case 'softmax':
      return softmax(op, operands);
    case 'shiftgelu':
      return shiftgelu(op, operands);
    case 'layernorm':
      return layernorm(op, operands);
    case 'lookup':
      return lookup(op, operands);
    case 'ramplookup':
      return ramplookup(op, operands);
    case 'mean':
      return mean(op, operands);
    case 'gather':
      return gather(op, operands, result);
    case 'concat':
      return concat(op, operands, result);
  }
}

/**
 * Every value of one image, the input included: the spec's formulas read literally, in integers of any size. Slow, and
 * without anything in common with a backend but the types.
 *
 * @param program one that `validate` accepts
 */
export function interpret(program: Program, pixels: Uint8Array): ReadonlyMap<string, IntegerArray> {
  const type = (name: string): ValueType => {
    const found = program.values[name];
    if (found === undefined) throw new RangeError(`the program has no value '${name}'`);
    return found;
  };
  const values = new Map<string, IntegerArray>([[program.input, pixels]]);
  const constant = (name: string): Tensor => {
    const found = program.constants[name];
    if (found === undefined) throw new RangeError(`the program has no constant '${name}'`);
    return found;
  };
  const operands: Operands = {
    constant,
    read: (operand) => {
      if ('constant' in operand) return see(constant(operand.constant), operand.view);
      const data = values.get(operand.value);
      if (data === undefined) throw new RangeError(`'${operand.value}' is read before it is made`);
      return see({ ...type(operand.value), data }, operand.view);
    },
  };
  for (const op of program.ops) values.set(op.result, evaluate(op, operands, type(op.result)).data);
  return values;
}
