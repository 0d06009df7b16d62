import { DTYPES, elementCount, MAX_RANK } from '@ivit/tensor';
import { DTYPE_RANGE, holds } from './dtype.js';
import { IvitError } from './error.js';
import { specOf } from './op-version.js';
import { MAX_ELEMENTS, type Source, type ValueInfo } from './ops/context.js';
import { infer } from './ops/infer.js';
import type {
  Constant,
  Interval,
  OpName,
  Program,
  ProgramFacts,
  ProgramLimits,
  ValidatedProgram,
  ValueType,
} from './types.js';

/** What a program may cost unless the caller says otherwise: room for ViT-L at 384 px, not for a bomb. */
export const DEFAULT_LIMITS: ProgramLimits = { ops: 20_000, macs: 1_000_000_000_000, bytes: 4_000_000_000 };

export interface ValidateOptions {
  /** What errors call the program: a file's path or URL. */
  readonly where?: string;
  readonly limits?: Partial<ProgramLimits>;
  /**
   * A part of a model: any u8 input and any output. Without it the input is `[H,W,3]` and the output i32 `[classes]`.
   */
  readonly fragment?: boolean;
}

/** Names that are safe in files, on screens and as object keys. */
export const NAME_PATTERN: RegExp = /^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$/;

function refuse(code: string, message: string, where: string): never {
  throw new IvitError(code, message, { where });
}

/** Names that mean something else to an object or to the file format. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['__proto__', '__metadata__', 'constructor', 'prototype']);

function checkName(name: string, where: string): void {
  if (!NAME_PATTERN.test(name) || RESERVED_NAMES.has(name)) {
    refuse(
      'E_PROGRAM_NAME',
      `'${name.slice(0, 40)}' is no name: letters, digits and _./- only, at most 200, none reserved`,
      where,
    );
  }
}

function checkType(type: ValueType, where: string): number {
  if (!Object.hasOwn(DTYPE_RANGE, type.dtype)) {
    refuse('E_PROGRAM_DTYPE', `'${String(type.dtype)}' is no dtype`, where);
  }
  if (type.shape.length > MAX_RANK || !type.shape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    refuse(
      'E_PROGRAM_SHAPE',
      `[${type.shape.join(',')}] is no shape: rank at most ${MAX_RANK}, sizes at least 1`,
      where,
    );
  }
  const count = elementCount(type.shape);
  if (count > MAX_ELEMENTS) refuse('E_PROGRAM_LIMIT', `${count} elements are more than ${MAX_ELEMENTS}`, where);
  return count * DTYPES[type.dtype].bytes;
}

function scan({ data }: Constant): Interval {
  let lo = data[0] as number;
  let hi = lo;
  for (let i = 1; i < data.length; i++) {
    const entry = data[i] as number;
    if (entry < lo) lo = entry;
    else if (entry > hi) hi = entry;
  }
  return { lo, hi };
}

/**
 * Channels whose own intervals are kept, all values together (a ViT-L has about half a million): beyond it the interval of
 * the whole value stands for its channels, which proves less but never wrongly.
 */
const MAX_CHANNELS = 8_000_000;

/** What the program holds so far: values proved, constants scanned once each. */
export class Ledger implements Source {
  readonly constants: Readonly<Record<string, Constant>>;
  readonly values: Map<string, ValueInfo> = new Map();
  readonly #bounds = new Map<string, Interval>();
  #channels = 0;

  constructor(constants: Readonly<Record<string, Constant>>) {
    this.constants = constants;
  }

  add(name: string, info: ValueInfo): void {
    const { channels, ...rest } = info;
    this.#channels += channels?.lo.length ?? 0;
    this.values.set(name, this.#channels > MAX_CHANNELS ? rest : info);
  }

  value(name: string): ValueInfo | undefined {
    return this.values.get(name);
  }

  constantBound(name: string, constant: Constant): Interval {
    let bound = this.#bounds.get(name);
    if (bound === undefined) {
      bound = scan(constant);
      this.#bounds.set(name, bound);
    }
    return bound;
  }
}

function sameType(a: ValueType, b: ValueType): boolean {
  return a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);
}

function checkConstants(program: Program): number {
  let bytes = 0;
  for (const [name, constant] of Object.entries(program.constants)) {
    const where = `constants.${name}`;
    checkName(name, where);
    const size = checkType(constant, where);
    if (!holds(constant.dtype, constant.data)) {
      refuse('E_PROGRAM_DTYPE', `the data is not an array of ${constant.dtype}`, where);
    }
    if (constant.data.byteLength !== size) {
      refuse('E_PROGRAM_SHAPE', `the data has ${constant.data.byteLength} bytes, its shape needs ${size}`, where);
    }
    bytes += size;
  }
  return bytes;
}

function checkInput(program: Program, fragment: boolean): ValueType {
  const type = Object.hasOwn(program.values, program.input) ? program.values[program.input] : undefined;
  if (type === undefined) refuse('E_PROGRAM_INPUT', `there is no value '${program.input}'`, 'input');
  const where = `values.${program.input}`;
  if (type.dtype !== 'u8') refuse('E_PROGRAM_INPUT', `the input is ${type.dtype}, not u8`, where);
  if (!fragment && (type.shape.length !== 3 || type.shape[2] !== 3)) {
    refuse('E_PROGRAM_INPUT', `the input is [${type.shape.join(',')}], not [H,W,3]`, where);
  }
  const crop = program.image?.crop;
  if (!fragment && crop !== undefined && (crop.height !== type.shape[0] || crop.width !== type.shape[1])) {
    refuse(
      'E_PROGRAM_INPUT',
      `the crop is ${crop.height}×${crop.width}, the input [${type.shape.join(',')}]`,
      'image.crop',
    );
  }
  return type;
}

function checkOutput(program: Program, output: ValueInfo | undefined, fragment: boolean): void {
  if (output === undefined) refuse('E_PROGRAM_OUTPUT', `no op makes '${program.output}'`, 'output');
  const { dtype, shape } = output.type;
  if (!fragment && (dtype !== 'i32' || shape.length !== 1)) {
    refuse('E_PROGRAM_OUTPUT', `the output is ${dtype} [${shape.join(',')}], not i32 [classes]`, 'output');
  }
  if (!fragment && program.labels !== undefined && program.labels.length !== shape[0]) {
    refuse('E_PROGRAM_OUTPUT', `${program.labels.length} labels do not name ${shape[0]} classes`, 'labels');
  }
  if (!Number.isInteger(program.outputShift) || program.outputShift < 0 || program.outputShift > 31) {
    refuse('E_PROGRAM_OUTPUT', `outputShift is ${program.outputShift}, not in 0…31`, 'outputShift');
  }
}

function prove(program: Program, options: ValidateOptions): ValidatedProgram {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const fragment = options.fragment === true;
  if (program.spec !== 'ivit/1' && program.spec !== 'ivit/1.1') {
    refuse('E_PROGRAM_SPEC', `spec '${String(program.spec)}' is not known here (ivit/1 and ivit/1.1 are)`, 'spec');
  }
  if (program.ops.length > limits.ops) {
    refuse('E_PROGRAM_LIMIT', `${program.ops.length} ops are more than ${limits.ops}`, 'ops');
  }
  let valueBytes = 0;
  for (const [name, type] of Object.entries(program.values)) {
    checkName(name, `values.${name.slice(0, 40)}`);
    valueBytes += checkType(type, `values.${name}`);
  }
  const constantBytes = checkConstants(program);
  if (constantBytes + valueBytes > limits.bytes) {
    refuse('E_PROGRAM_LIMIT', `${constantBytes + valueBytes} bytes are more than ${limits.bytes}`, 'values');
  }

  const ledger = new Ledger(program.constants);
  ledger.values.set(program.input, { type: checkInput(program, fragment), bound: DTYPE_RANGE.u8 });
  const counts: Partial<Record<OpName, number>> = {};
  const numeratorBits: Record<string, number> = {};
  let macs = 0;
  let bytes = constantBytes + valueBytes;
  for (const [index, op] of program.ops.entries()) {
    const where = `ops[${index}]`;
    const declared = Object.hasOwn(program.values, op.result) ? program.values[op.result] : undefined;
    if (declared === undefined) refuse('E_PROGRAM_VALUE', `result '${op.result}' is not among the values`, where);
    if (ledger.values.has(op.result)) refuse('E_PROGRAM_VALUE', `'${op.result}' is made twice`, where);
    const result = infer(op, index, ledger, declared);
    if (!sameType(result.type, declared)) {
      const made = `${result.type.dtype} [${result.type.shape.join(',')}]`;
      const said = `${declared.dtype} [${declared.shape.join(',')}]`;
      refuse('E_PROGRAM_SHAPE', `'${op.result}' is declared ${said}, but the op makes ${made}`, where);
    }
    macs += result.macs ?? 0;
    if (macs > limits.macs) refuse('E_PROGRAM_LIMIT', `more than ${limits.macs} multiply-accumulates`, where);
    bytes += result.viewBytes ?? 0;
    if (bytes > limits.bytes) {
      refuse('E_PROGRAM_LIMIT', `${bytes} bytes, strided views included, are more than ${limits.bytes}`, where);
    }
    if (result.numeratorBits !== undefined) numeratorBits[op.result] = result.numeratorBits;
    counts[op.op] = (counts[op.op] ?? 0) + 1;
    ledger.add(op.result, result);
  }
  const least = specOf(program.ops);
  if (program.spec !== least) {
    refuse('E_PROGRAM_SPEC', `the spec is '${program.spec}', but the ops are those of '${least}'`, 'spec');
  }
  for (const name of Object.keys(program.values)) {
    if (!ledger.values.has(name)) refuse('E_PROGRAM_VALUE', `no op makes '${name}'`, `values.${name}`);
  }
  checkOutput(program, ledger.values.get(program.output), fragment);

  const intervals: Record<string, Interval> = {};
  for (const [name, info] of ledger.values) intervals[name] = { lo: info.bound.lo, hi: info.bound.hi };
  const facts: ProgramFacts = { intervals, numeratorBits, macs, constantBytes, valueBytes, ops: counts };
  return brand({ ...program, facts });
}

/** The one place where a program gains the `ValidatedProgram` brand. */
function brand(program: Program & { readonly facts: ProgramFacts }): ValidatedProgram {
  return Object.freeze(program) as ValidatedProgram;
}

/**
 * Proves a program safe to run: every name, shape, dtype, view and index in bounds, cost within the limits, and an
 * interval for every value such that no accumulator and no stored result can overflow (docs/spec).
 *
 * @throws IvitError E_PROGRAM_… naming the op, the field, what is wrong
 */
export function validate(program: Program, options: ValidateOptions = {}): ValidatedProgram {
  try {
    return prove(program, options);
  } catch (error) {
    if (options.where === undefined || !IvitError.isInstance(error)) throw error;
    throw new IvitError(error.code, error.problem, {
      where: error.where === undefined ? options.where : `${options.where}, ${error.where}`,
      hint: error.hint ?? 'The program is damaged, or the tool that wrote it is at fault: make it again.',
      cause: error,
    });
  }
}
