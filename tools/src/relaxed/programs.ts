import type { Relaxed } from '@ivit/backend-cpu/~internal';
import { createProgramBuilder, type ValidatedProgram, validate } from '@ivit/program';
import { makeBytes, plainOperand } from './products.js';

const signed = (count: number, seed: number): Int8Array => new Int8Array(makeBytes(count, seed).buffer);

/**
 * Products by weights, and of two values, the right one read in both directions. Everything that is multiplied from the left
 * passes a table whose entries every machine multiplies alike in this meaning.
 */
export function restrictedProgram(rows: number, width: number, relaxed: Relaxed): ValidatedProgram {
  const builder = createProgramBuilder('pixels', [rows, width]);
  const bias = (count: number): Int32Array => Int32Array.from(signed(count, 31), (value) => value * 1000);
  builder.constant('table', 'i8', [256], plainOperand(makeBytes(256, 3), relaxed));
  // The right sides; w1 keeps its -128, so that a kernel that must not see one meets a product of the other kernel, which takes
  // seven multiplications for eight where the sizes are large and even.
  const outer = width < 128 ? 2 * width + 1 : 2 * width;
  const right = (entries: Int8Array): Int8Array => entries.map((entry) => Math.max(entry, relaxed.least));
  builder.constant('free', 'i8', [256], right(signed(256, 5)));
  builder.constant('w0', 'i8', [width, width], right(signed(width * width, 7)));
  builder.constant('w1', 'i8', [outer, width], signed(outer * width, 11));
  builder.constant('b1', 'i32', [outer], bias(outer));
  const narrow = { m: 1, e: 10, z: 0, axis: 0, run: 0, to: 'i8' } as const;
  builder.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'table' });
  builder.add({ op: 'lookup', result: 'y', x: { value: 'pixels' }, table: 'free' });
  builder.add({ op: 'linear', result: 's0', x: { value: 'x' }, w: 'w0' });
  builder.add({ op: 'requantize', result: 'q0', x: { value: 's0' }, ...narrow });
  builder.add({ op: 'lookup', result: 't0', x: { value: 'q0' }, table: 'table' });
  const turned = { offset: 0, shape: [width, rows], strides: [1, width] };
  builder.add({ op: 'matmul', result: 's1', a: { value: 't0' }, b: { value: 'y', view: turned } });
  builder.add({ op: 'requantize', result: 'q1', x: { value: 's1' }, ...narrow });
  builder.add({ op: 'lookup', result: 't1', x: { value: 'q1' }, table: 'table' });
  builder.add({ op: 'matmul', result: 's2', a: { value: 't1' }, b: { value: 'y' } });
  builder.add({ op: 'requantize', result: 'q2', x: { value: 's2' }, ...narrow });
  builder.add({ op: 'lookup', result: 't2', x: { value: 'q2' }, table: 'table' });
  builder.add({ op: 'linear', result: 's3', x: { value: 't2' }, w: 'w1', b: 'b1' });
  return validate(builder.build({ output: 's3' }), { fragment: true });
}
