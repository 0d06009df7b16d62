import type { IntArray, Op, Operand, ValidatedProgram } from '@ivit/program';
import { DTYPES, elementCount, makeArray, viewBytes } from '@ivit/tensor';
import type { Memory } from './operands.js';

/** The values an op reads. */
export function valuesRead(op: Op): readonly string[] {
  const operands: Operand[] = [];
  switch (op.op) {
    case 'matmul':
      operands.push(op.a, op.b);
      break;
    case 'concat':
      operands.push(...op.operands);
      break;
    case 'requantize':
      operands.push(op.x);
      if (op.row !== undefined) operands.push(op.row);
      if (op.addend !== undefined) operands.push(op.addend.operand);
      break;
    case 'rowquantize':
      operands.push(op.x, op.row);
      break;
    default:
      operands.push(op.x);
  }
  return operands.flatMap((operand) => ('value' in operand ? [operand.value] : []));
}

/**
 * One array per value; values whose lives do not overlap share buffers (the smallest free one that fits). Values in `keep` (and the output)
 * live to the end.
 */
export function planMemory(program: ValidatedProgram, keep: ReadonlySet<string>): Memory {
  const lastRead = new Map<string, number>();
  program.ops.forEach((op, index) => {
    lastRead.set(op.result, index);
    for (const name of valuesRead(op)) lastRead.set(name, index);
  });
  const arrays = new Map<string, IntArray>();
  const free: ArrayBuffer[] = [];
  let bytes = 0;

  function place(name: string): void {
    const type = program.values[name];
    if (type === undefined) return;
    const count = elementCount(type.shape);
    const size = count * DTYPES[type.dtype].bytes;
    const reused = takeFitting(free, size);
    if (reused === undefined) {
      arrays.set(name, makeArray(type.dtype, count));
      bytes += size;
    } else {
      arrays.set(name, viewBytes(type.dtype, reused, 0, count));
    }
  }

  place(program.input);
  program.ops.forEach((op, index) => {
    place(op.result);
    for (const name of new Set([...valuesRead(op), op.result])) {
      if (lastRead.get(name) !== index || keep.has(name)) continue;
      const buffer = arrays.get(name)?.buffer;
      if (!(buffer instanceof ArrayBuffer)) continue;
      free.push(buffer);
    }
  });
  return { arrays, bytes };
}

/** Removes and returns the smallest buffer of at least `size` bytes. */
function takeFitting(free: ArrayBuffer[], size: number): ArrayBuffer | undefined {
  let best = -1;
  for (const [index, buffer] of free.entries()) {
    const smaller = best < 0 || buffer.byteLength < (free[best]?.byteLength ?? 0);
    if (buffer.byteLength >= size && smaller) best = index;
  }
  return best < 0 ? undefined : free.splice(best, 1)[0];
}
