import type { Op, Operand, Param, Program } from './types.js';

function operandText(operand: Operand): string {
  const name = 'value' in operand ? operand.value : `$${operand.constant}`;
  if (operand.view === undefined) return name;
  const { offset, shape, strides } = operand.view;
  return `${name}[${offset}; ${shape.join('×')}; ${strides.join(',')}]`;
}

const paramText = (param: Param): string => (typeof param === 'number' ? String(param) : `$${param.constant}`);

function argumentsOf(op: Op): string[] {
  switch (op.op) {
    case 'requantize': {
      const parts = [operandText(op.x), `m=${paramText(op.m)}`, `e=${paramText(op.e)}`, `z=${paramText(op.z)}`];
      if (op.run > 0) parts.push(`axis=${op.axis}+${op.run}`);
      if (op.channels !== undefined) parts.push(`channels=$${op.channels}`);
      if (op.row !== undefined) parts.push(`row=${operandText(op.row)}`);
      if (op.bias !== undefined) parts.push(`bias=$${op.bias}<<${op.k ?? 0}`);
      if (op.addend !== undefined) parts.push(`+ ${operandText(op.addend.operand)}·${op.addend.m}/2^${op.addend.e}`);
      return parts;
    }
    case 'rowscale':
      return [operandText(op.x), `cp=${paramText(op.cp)}`, `cn=${paramText(op.cn)}`];
    case 'rowquantize': {
      const parts = [operandText(op.x), `row=${operandText(op.row)}`, `z=${op.z}`];
      if (op.channels !== undefined) parts.push(`channels=$${op.channels}`);
      if (op.slot !== undefined) parts.push(`slot=$${op.slot}`);
      return parts;
    }
    case 'linear':
      return [operandText(op.x), `$${op.w}`, ...(op.b === undefined ? [] : [`$${op.b}`])];
    case 'matmul':
      return [operandText(op.a), operandText(op.b), ...(op.log2 === undefined ? [] : [`log2=${op.log2}`])];
    case 'softmax': {
      const { exponential } = op;
      const form =
        'pow2' in exponential
          ? `pow2=${exponential.pow2}`
          : 'table' in exponential
            ? `table=$${exponential.table}`
            : `x0=${exponential.shift}, n=${exponential.n}`;
      return [operandText(op.x), form, op.log2 === undefined ? `bits=${op.bits}` : `log2=${op.log2}`];
    }
    case 'shiftgelu':
      return [operandText(op.x), `x0=${op.x0}`, `n=${op.n}`];
    case 'layernorm':
      return [operandText(op.x), ...(op.b === undefined ? [] : [`$${op.b}`])];
    case 'lookup':
      return [operandText(op.x), `$${op.table}`];
    case 'ramplookup':
      return [operandText(op.x), `$${op.table}`, `u=${op.u}`];
    case 'mean':
      return [operandText(op.x), `axis=${op.axis}`];
    case 'gather':
      return [operandText(op.x), `rows=$${op.rows}`, `width=${op.width}`];
    case 'concat':
      return op.operands.map(operandText);
    default:
      return op satisfies never;
  }
}

/** One line per op, `result: dtype[shape] = op(operands, parameters)`; constants carry a `$`. */
export function printProgram(program: Program): string {
  const type = (name: string): string => {
    const value = program.values[name];
    return value === undefined ? '?' : `${value.dtype}[${value.shape.join(',')}]`;
  };
  const lines = [`${program.spec}  input ${program.input}: ${type(program.input)}`];
  for (const op of program.ops)
    lines.push(`${op.result}: ${type(op.result)} = ${op.op}(${argumentsOf(op).join(', ')})`);
  lines.push(`output ${program.output}, unit 2^-${program.outputShift}`);
  return `${lines.join('\n')}\n`;
}
