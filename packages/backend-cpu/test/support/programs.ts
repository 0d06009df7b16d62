import { createHash } from 'node:crypto';
import type { Outputs } from '@ivit/backend';
import {
  createProgramBuilder,
  littleEndianBytes,
  type ProgramBuilder,
  type ValidatedProgram,
  validate,
} from '@ivit/program';

/** Repeatable bytes: a multiplicative sequence, good enough to tell one element from another. */
export function bytes(count: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return state >>> 24;
  });
}

function signed(count: number, seed: number): Int8Array {
  return new Int8Array(bytes(count, seed).buffer);
}

function start(rows: number, columns: number): ProgramBuilder {
  const builder = createProgramBuilder('pixels', [rows, columns]);
  builder.constant('table', 'i8', [256], signed(256, 3));
  builder.add({ op: 'lookup', result: 'x0', x: { value: 'pixels' }, table: 'table' });
  return builder;
}

/** Rows through one product with `outer × columns` weights. */
export function denseProgram(rows: number, columns: number, outer: number): ValidatedProgram {
  const builder = start(rows, columns);
  builder.constant('w', 'i8', [outer, columns], signed(outer * columns, 5));
  builder.add({ op: 'linear', result: 'sums', x: { value: 'x0' }, w: 'w' });
  return validate(builder.build({ output: 'sums' }), { fragment: true });
}

/**
 * Products one after the other, each on rows in another order: a list of many groups, between which all threads meet and
 * an abort can act.
 */
export function layeredProgram(rows: number, width: number, layers: number): ValidatedProgram {
  const builder = start(rows, width);
  builder.constant('w', 'i8', [width, width], signed(width * width, 7));
  const order = Int32Array.from({ length: rows }, (_, row) => rows - 1 - row);
  builder.constant('order', 'i32', [rows], order);
  // Sums grow with the root of the width: most results stay within int8, and few are 0.
  const m = Math.round(2 ** 20 / (75 * Math.sqrt(width)));
  let x = 'x0';
  for (let layer = 1; layer <= layers; layer++) {
    const rest = { m, e: 20, z: 0, axis: 0, run: 0, to: 'i8' } as const;
    builder.add({ op: 'linear', result: `sums${layer}`, x: { value: x }, w: 'w' });
    builder.add({ op: 'requantize', result: `y${layer}`, x: { value: `sums${layer}` }, ...rest });
    const turned = { op: 'gather', result: `x${layer}`, x: { value: `y${layer}` }, rows: 'order', width } as const;
    x = builder.add(turned, [rows, width]);
  }
  return validate(builder.build({ output: x }), { fragment: true });
}

/** Values of 1 MiB times 16, 256 and 1536: kept together they are beyond 4 GiB. */
export function hugeProgram(): ValidatedProgram {
  const builder = start(1024, 1024);
  const times = (x: string, count: number, result: string): string =>
    builder.add({ op: 'concat', result, operands: Array.from({ length: count }, () => ({ value: x })) });
  const large = times(times('x0', 16, 'a'), 16, 'b');
  for (const name of ['c', 'd', 'e']) times(large, 6, name);
  return validate(builder.build({ output: 'e' }), { fragment: true, limits: { bytes: 1e11 } });
}

/** Outputs in a line per value: what to compare, and to read where it differs. */
export function fingerprint(outputs: Outputs): string {
  const lines = Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
    const digest = createHash('sha256').update(littleEndianBytes(data)).digest('hex');
    return `${name} ${dtype} [${shape.join()}] ${data.slice(0, 8).join()} ${digest}`;
  });
  return lines.sort().join('\n');
}
