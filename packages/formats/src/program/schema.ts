import {
  type Addend,
  type Constant,
  type DType,
  type Exponential,
  type InputDescription,
  NAME_PATTERN,
  type Op,
  type Operand,
  type OpName,
  type Param,
  type Program,
  type Provenance,
  type SelfCheck,
  type ValueType,
  type View,
} from '@ivit/program';
import { RESERVED_KEYS } from '../json/cursor.js';
import {
  byField,
  choice,
  type Decoder,
  dictionary,
  fields,
  integer,
  join,
  list,
  members,
  optional,
  pattern,
  show,
  text,
} from './decoder.js';
import { PACKED_BITS } from './packing.js';

/** A program as its JSON states it: constants without their data. */
export type ProgramHeader = Omit<Program, 'constants'> & { readonly constants: Readonly<Record<string, ConstantType>> };

/** A constant without its data; `bits` where its tensor is packed. */
export type ConstantType = Omit<Constant, 'data'>;

/** Bounds on what is built from a file before `validate` sees it; each is far above any honest program. */
const MAX = { rank: 16, ops: 100_000, names: 200_000, operands: 10_000, labels: 1_000_000, photos: 1_000_000 };

const safeName = pattern(NAME_PATTERN, 'a name: letters, digits and _./- only, at most 200', 'E_PROGRAM_NAME');

/** A name of a value or constant: safe as an object key, a tensor name and on a screen. */
export const name: Decoder<string> = (value, path, fail) => {
  const result = safeName(value, path, fail);
  if (RESERVED_KEYS.has(result) || result === '__metadata__') {
    fail('E_PROGRAM_NAME', `${show(result)} is not allowed as a name`, path);
  }
  return result;
};

const any = integer();
const natural = integer(0);
const dtype: Decoder<DType> = choice('u8', 'i8', 'i16', 'i32');
const sha256 = pattern(/^[0-9a-f]{64}$/, 'a sha256 in lower-case hex');

const valueType: Decoder<ValueType> = fields<ValueType>({ dtype, shape: list(natural, MAX.rank) });

export const constantType: Decoder<ConstantType> = (value, path, fail) => {
  const type = stated(value, path, fail);
  if (type.bits !== undefined && (type.dtype !== 'i8' || type.shape.length === 0)) {
    fail('E_PROGRAM_PARAMETER', 'only int8 tensors of rank 1 or more are packed', join(path, 'bits'));
  }
  return type;
};

const stated = fields<ConstantType>({
  dtype,
  shape: list(natural, MAX.rank),
  bits: optional(integer(PACKED_BITS.least, PACKED_BITS.most)),
});

const view = fields<View>({
  offset: natural,
  shape: list(natural, MAX.rank),
  strides: list(any, MAX.rank),
});

const operand: Decoder<Operand> = byField<Operand>({
  value: fields<Extract<Operand, { readonly value: string }>>({ value: name, view: optional(view) }),
  constant: fields<Extract<Operand, { readonly constant: string }>>({ constant: name, view: optional(view) }),
});

const namedParam = fields<Exclude<Param, number>>({ constant: name });
const param: Decoder<Param> = (value, path, fail) =>
  typeof value === 'object' ? namedParam(value, path, fail) : any(value, path, fail);

const addend = fields<Addend>({ operand, m: any, e: any });

const exponential: Decoder<Exponential> = byField<Exponential>({
  shift: fields<Extract<Exponential, { readonly shift: number }>>({ shift: any, n: any }),
  table: fields<Extract<Exponential, { readonly table: string }>>({ table: name }),
  pow2: fields<Extract<Exponential, { readonly pow2: number }>>({ pow2: any }),
});

/** The fields every op has. */
function head<const K extends OpName>(op: K): { readonly op: Decoder<K>; readonly result: Decoder<string> } {
  return { op: choice(op), result: name };
}

type OpOf<K extends OpName> = Extract<Op, { readonly op: K }>;

/** The op set: a new op is one row. What its fields mean and which values they take is checked by `validate`. */
const OPS: { readonly [K in OpName]: Decoder<OpOf<K>> } = {
  requantize: fields<OpOf<'requantize'>>({
    ...head('requantize'),
    x: operand,
    m: param,
    e: param,
    z: param,
    axis: any,
    run: any,
    to: choice('i8', 'i16', 'i32'),
    channels: optional(name),
    addend: optional(addend),
    row: optional(operand),
    bias: optional(name),
    k: optional(any),
  }),
  rowscale: fields<OpOf<'rowscale'>>({ ...head('rowscale'), x: operand, cp: param, cn: param }),
  rowquantize: fields<OpOf<'rowquantize'>>({
    ...head('rowquantize'),
    x: operand,
    row: operand,
    z: any,
    channels: optional(name),
    slot: optional(name),
  }),
  linear: fields<OpOf<'linear'>>({ ...head('linear'), x: operand, w: name, b: optional(name) }),
  matmul: fields<OpOf<'matmul'>>({ ...head('matmul'), a: operand, b: operand, log2: optional(choice(4)) }),
  softmax: fields<OpOf<'softmax'>>({
    ...head('softmax'),
    x: operand,
    exponential,
    bits: choice(8, 16),
    log2: optional(choice(4)),
  }),
  shiftgelu: fields<OpOf<'shiftgelu'>>({ ...head('shiftgelu'), x: operand, x0: any, n: any }),
  layernorm: fields<OpOf<'layernorm'>>({ ...head('layernorm'), x: operand, b: optional(name) }),
  lookup: fields<OpOf<'lookup'>>({ ...head('lookup'), x: operand, table: name }),
  ramplookup: fields<OpOf<'ramplookup'>>({ ...head('ramplookup'), x: operand, table: name, u: any }),
  mean: fields<OpOf<'mean'>>({ ...head('mean'), x: operand, axis: any }),
  gather: fields<OpOf<'gather'>>({ ...head('gather'), x: operand, rows: name, width: any }),
  concat: fields<OpOf<'concat'>>({ ...head('concat'), operands: list(operand, MAX.operands) }),
};

function isOpName(value: unknown): value is OpName {
  return typeof value === 'string' && Object.hasOwn(OPS, value);
}

const op: Decoder<Op> = (value, path, fail) => {
  const source = members(value, path, fail);
  const opName = Object.hasOwn(source, 'op') ? source['op'] : undefined;
  if (opName === undefined) fail('E_PROGRAM_FIELD', 'the field op is missing', join(path, 'op'));
  if (!isOpName(opName)) return fail('E_PROGRAM_OP', `there is no op ${show(opName)} in ivit/1`, join(path, 'op'));
  return OPS[opName](value, path, fail);
};

const pixels = integer(1, 65535);

const image = fields<InputDescription>({
  resize: pixels,
  interpolation: choice('bicubic', 'bilinear'),
  crop: fields<InputDescription['crop']>({ height: pixels, width: pixels }),
});

const provenance = fields<Provenance>({
  sources: optional(
    list(fields<NonNullable<Provenance['sources']>[number]>({ name: text(1000), sha256 }), MAX.operands),
  ),
  recipe: optional(text(1000)),
  calibration: optional(list(sha256, MAX.photos)),
  architecture: optional(text(1000)),
  licence: optional(text(1000)),
});

const selfCheck = fields<SelfCheck>({ seed: integer(0, 2 ** 32 - 1), sha256 });

const header = fields<ProgramHeader>({
  spec: choice('ivit/1', 'ivit/1.1'),
  input: name,
  values: dictionary(name, valueType, MAX.names),
  ops: list(op, MAX.ops),
  constants: dictionary(name, constantType, MAX.names),
  output: name,
  outputShift: integer(0, 31),
  image: optional(image),
  labels: optional(list(text(1000), MAX.labels)),
  unknownBelow: optional(integer(0, 65536)),
  provenance: optional(provenance),
  selfCheck: optional(selfCheck),
});

/** Checks the structure of a program's JSON in full; the spec first, since a later one may have other fields and ops. */
export const programHeader: Decoder<ProgramHeader> = (value, path, fail) => {
  const source = members(value, path, fail);
  const spec = Object.hasOwn(source, 'spec') ? source['spec'] : undefined;
  if (typeof spec === 'string' && spec !== 'ivit/1' && spec !== 'ivit/1.1') {
    fail('E_PROGRAM_SPEC', `spec ${show(spec)} is not known here (ivit/1 and ivit/1.1 are)`, 'spec');
  }
  return header(value, path, fail);
};
