import type { Constant, Op, Operand, Param, Program, View } from '@ivit/program';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProgram } from './read.js';
import { writeProgram } from './write.js';

const RESERVED = ['__proto__', '__metadata__', 'constructor', 'prototype'];
const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_./-]{0,12}$/).filter((text) => !RESERVED.includes(text));
const integer = fc.maxSafeInteger();
const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 4 });
const text = fc.string({ unit: 'binary', maxLength: 30 });
const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);

const view: fc.Arbitrary<View> = fc.record({ offset: fc.nat(), shape, strides: fc.array(integer, { maxLength: 6 }) });
const operand: fc.Arbitrary<Operand> = fc.oneof(
  fc.record({ value: name, view }, { requiredKeys: ['value'] }),
  fc.record({ constant: name, view }, { requiredKeys: ['constant'] }),
);
const param: fc.Arbitrary<Param> = fc.oneof(integer, fc.record({ constant: name }));

const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record(
    {
      op: fc.constant('requantize' as const),
      result: name,
      x: operand,
      m: param,
      e: param,
      z: param,
      axis: integer,
      run: integer,
      to: fc.constantFrom('i8' as const, 'i16' as const, 'i32' as const),
      channels: name,
      addend: fc.record({ operand, m: integer, e: integer }),
      row: operand,
      bias: name,
      k: integer,
    },
    { requiredKeys: ['op', 'result', 'x', 'm', 'e', 'z', 'axis', 'run', 'to'] },
  ),
  fc.record(
    { op: fc.constant('linear' as const), result: name, x: operand, w: name, b: name },
    { requiredKeys: ['op', 'result', 'x', 'w'] },
  ),
  fc.record({ op: fc.constant('concat' as const), result: name, operands: fc.array(operand, { maxLength: 4 }) }),
  fc.record({
    op: fc.constant('softmax' as const),
    result: name,
    x: operand,
    exponential: fc.oneof(
      fc.record({ shift: integer, n: integer }),
      fc.record({ table: name }),
      fc.record({ pow2: integer }),
    ),
    bits: fc.constantFrom(8 as const, 16 as const),
  }),
);

const constant: fc.Arbitrary<Constant> = shape.chain((dimensions) => {
  const size = dimensions.reduce((product, dimension) => product * dimension, 1);
  const length = { minLength: size, maxLength: size };
  return fc.oneof(
    fc.uint8Array(length).map((data) => ({ dtype: 'u8' as const, shape: dimensions, data: Uint8Array.from(data) })),
    fc.int8Array(length).map((data) => ({ dtype: 'i8' as const, shape: dimensions, data: Int8Array.from(data) })),
    fc.int16Array(length).map((data) => ({ dtype: 'i16' as const, shape: dimensions, data: Int16Array.from(data) })),
    fc.int32Array(length).map((data) => ({ dtype: 'i32' as const, shape: dimensions, data: Int32Array.from(data) })),
  );
});

const program: fc.Arbitrary<Program> = fc.record(
  {
    spec: fc.constant('ivit/1' as const),
    input: name,
    values: fc.dictionary(name, fc.record({ dtype: fc.constantFrom('u8' as const, 'i32' as const), shape })),
    ops: fc.array(op, { maxLength: 6 }),
    constants: fc.dictionary(name, constant, { maxKeys: 6 }),
    output: name,
    outputShift: fc.nat({ max: 31 }),
    labels: fc.array(text, { maxLength: 4 }),
    unknownBelow: fc.nat({ max: 65536 }),
    provenance: fc.record({ recipe: text, calibration: fc.array(sha256, { maxLength: 2 }) }, { requiredKeys: [] }),
    selfCheck: fc.record({ seed: fc.nat({ max: 0xffffffff }), sha256 }),
  },
  { requiredKeys: ['spec', 'input', 'values', 'ops', 'constants', 'output', 'outputShift'] },
);

/** The same program with ordinary prototypes, as `toStrictEqual` compares them too. */
function plain(source: Program): unknown {
  return structuredClone(source);
}

describe('a program file', () => {
  it('gives back the program, and the same bytes when written again', () => {
    fc.assert(
      fc.property(program, (source) => {
        const bytes = writeProgram(source);
        const read = readProgram(bytes);
        expect(plain(read)).toStrictEqual(plain(source));
        expect(Buffer.compare(writeProgram(read), bytes)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
