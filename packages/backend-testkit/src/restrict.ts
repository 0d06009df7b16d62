import {
  type Constant,
  type Op,
  type Operand,
  opVersion,
  type Program,
  specOf,
  type ValidatedProgram,
  validate,
} from '@ivit/program';
import { type Case, exactValues, expectedOf, imageOf } from './case.js';

/** Ops a backend declares: names of version 1, `NAME@2` of version 2. */
export type Declared = ReadonlySet<string>;

/** An op with its version, as {@link Declared} holds it. */
export function opKey(op: Op): string {
  return opVersion(op) === 1 ? op.op : `${op.op}@${opVersion(op)}`;
}

export function runsOn(program: Program, declared: Declared): boolean {
  return program.ops.every((op) => declared.has(opKey(op)));
}

/**
 * The part of a case that a backend with only some ops can run: one image, with the results of undeclared ops turned into
 * constants. Undefined where nothing is left, or where what is left cannot be proved without the ops that are gone.
 */
export function restrictCase(one: Case, declared: Declared): Case | undefined {
  if (runsOn(one.program, declared)) return one;
  const { program } = one;
  const kept = program.ops.filter((op) => declared.has(opKey(op)));
  const last = kept.at(-1);
  if (last === undefined) return undefined;
  const gone = new Set(program.ops.filter((op) => !declared.has(opKey(op))).map((op) => op.result));
  const frozen = (name: string): string => `frozen/${name}`;
  const constants: Record<string, Constant> = { ...program.constants };
  const operand = (read: Operand): Operand => {
    if (!('value' in read) || !gone.has(read.value)) return read;
    const type = program.values[read.value];
    if (type === undefined) return read;
    constants[frozen(read.value)] = { ...type, data: expectedOf(one, read.value, 0) };
    return { constant: frozen(read.value), ...(read.view === undefined ? {} : { view: read.view }) };
  };
  const ops = kept.map((op) => withOperands(op, operand));
  const values = Object.fromEntries(Object.entries(program.values).filter(([name]) => !gone.has(name)));
  const output = gone.has(program.output) ? last.result : program.output;
  let valid: ValidatedProgram;
  try {
    valid = validate(
      { spec: specOf(ops), input: program.input, values, ops, constants, output, outputShift: 0 },
      {
        fragment: true,
      },
    );
  } catch {
    return undefined;
  }
  const pixels = imageOf(one, 0);
  const expected = exactValues(valid, pixels, 1);
  return { ...one, id: `${one.id} (in part)`, program: valid, batch: 1, pixels, digest: () => undefined, expected };
}

function withOperands(op: Op, map: (operand: Operand) => Operand): Op {
  switch (op.op) {
    case 'matmul':
      return { ...op, a: map(op.a), b: map(op.b) };
    case 'concat':
      return { ...op, operands: op.operands.map(map) };
    case 'requantize':
      return {
        ...op,
        x: map(op.x),
        ...(op.row === undefined ? {} : { row: map(op.row) }),
        ...(op.addend === undefined ? {} : { addend: { ...op.addend, operand: map(op.addend.operand) } }),
      };
    case 'rowquantize':
      return { ...op, x: map(op.x), row: map(op.row) };
    default:
      return { ...op, x: map(op.x) };
  }
}
