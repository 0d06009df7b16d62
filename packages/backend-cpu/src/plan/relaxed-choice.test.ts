import { createProgramBuilder, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import * as R from '../record-layout.js';
import { planProgram } from './plan-program.js';
import type { Relaxed } from './stage.js';

/** How many records of a kind and length the plan of one product by weights and one of two values has. */
function countRelaxed(weight: number, entry: number, relaxed: Relaxed): { linears: number; packs: number } {
  const builder = createProgramBuilder('pixels', [4, 16]);
  builder.constant('left', 'i8', [256], new Int8Array(256).fill(-128));
  builder.constant('right', 'i8', [256], new Int8Array(256).fill(1).fill(entry, 7, 8));
  builder.constant('w', 'i8', [16, 16], new Int8Array(256).fill(1).fill(weight, 100, 101));
  builder.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'left' });
  builder.add({ op: 'lookup', result: 'y', x: { value: 'pixels' }, table: 'right' });
  builder.add({ op: 'linear', result: 's', x: { value: 'x' }, w: 'w' });
  builder.add({ op: 'requantize', result: 'q', x: { value: 's' }, m: 1, e: 10, z: 0, axis: 0, run: 0, to: 'i8' });
  const turned = { offset: 0, shape: [16, 4], strides: [1, 16] };
  builder.add({ op: 'matmul', result: 'p', a: { value: 'q' }, b: { value: 'y', view: turned } });
  const { words } = planProgram(validate(builder.build({ output: 'p' }), { fragment: true }), ['p'], 1, relaxed).code;
  const count = (kind: number, length: number): number =>
    words.filter((word, at) => word === kind && words[at + R.STAGE_LENGTH - R.STAGE_KIND] === length).length;
  return {
    linears: count(R.KIND_RELAXED_LINEAR, R.LINEAR_WORDS),
    packs: count(R.KIND_RELAXED_PACK, R.PACK_WORDS),
  };
}

describe('a kernel that is exact without -128 on the right', () => {
  const relaxed = { flip: 0, least: -127 } as const;

  it('gets the products whose right side cannot hold it', () => {
    expect(countRelaxed(-127, -127, relaxed)).toEqual({ linears: 2, packs: 1 });
  });

  it('gets no product by weights with a single -128', () => {
    expect(countRelaxed(-128, -127, relaxed)).toEqual({ linears: 1, packs: 1 });
  });

  it('gets no product of values whose proved interval reaches it', () => {
    expect(countRelaxed(-127, -128, relaxed)).toEqual({ linears: 1, packs: 0 });
    expect(countRelaxed(-128, -128, relaxed)).toEqual({ linears: 0, packs: 0 });
  });
});

describe('a kernel that is exact for all of int8', () => {
  it('gets both', () => {
    expect(countRelaxed(-128, -128, { flip: 128, least: -128 })).toEqual({ linears: 2, packs: 1 });
  });
});
