import { type Constant, type DType, type Program, specOf, type ValueType, validate } from '@ivit/program';
import { DTYPES, type IntegerArray, makeArray } from '@ivit/tensor';
import { type Case, exactValues, typeOf } from '../case.js';
import { claimOps } from '../unsafe.js';
import { asArray, asBytes, asInteger, asObject, asString, type JsonObject } from './json.js';

/** Tests of one kind, e.g. one parameter form of an op. */
export interface VectorGroup {
  readonly name: string;
  /** Reads and proves the programs; done when the tests run, not when they are listed. */
  cases(): readonly Case[];
}

/** One file: everything about one op, or the whole models. */
export interface VectorFile {
  /** The op, or `models`. */
  readonly op: string;
  /** Flag → which mistake it catches. */
  readonly notes: Readonly<Record<string, string>>;
  readonly groups: readonly VectorGroup[];
}

const SCHEMA = 'ivit-vectors/1';

function dtypeOf(value: unknown, where: string): DType {
  const name = asString(value, where);
  if (name === 'u8' || name === 'i8' || name === 'i16' || name === 'i32') return name;
  throw new TypeError(`${where} of a vector file is no dtype: '${name}'`);
}

function valueType(json: unknown, where: string): ValueType {
  const { dtype, shape } = asObject(json, where);
  return { dtype: dtypeOf(dtype, where), shape: asArray(shape, where).map((size) => asInteger(size, where)) };
}

/** Little-endian bytes as elements, on hosts of either byte order. */
function elements(dtype: DType, bytes: Uint8Array): IntegerArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = DTYPES[dtype].bytes;
  const data = makeArray(dtype, size === 1 ? bytes.length : size === 2 ? bytes.length >> 1 : bytes.length >> 2);
  for (let i = 0; i < data.length; i++) {
    if (size === 1) data[i] = bytes[i] as number;
    else data[i] = size === 2 ? view.getInt16(2 * i, true) : view.getInt32(4 * i, true);
  }
  return data;
}

function mapObject<T>(json: unknown, where: string, read: (value: unknown, where: string) => T): Record<string, T> {
  const entries = Object.entries(asObject(json, where));
  return Object.fromEntries(entries.map(([name, value]) => [name, read(value, `${where}.${name}`)]));
}

function constant(json: unknown, where: string): Constant {
  const type = valueType(json, where);
  return { ...type, data: elements(type.dtype, asBytes(asObject(json, where)['data'], where)) };
}

function programOf(json: unknown, where: string): Program {
  const program = asObject(json, where);
  const ops = claimOps(asArray(program['ops'], where));
  return {
    spec: specOf(ops),
    input: asString(program['input'], where),
    values: mapObject(program['values'], where, valueType),
    ops,
    constants: mapObject(program['constants'], where, constant),
    output: asString(program['output'], where),
    outputShift: 0,
  };
}

function caseOf(json: unknown, file: JsonObject, notes: Readonly<Record<string, string>>): Case {
  const test = asObject(json, 'a test');
  const id = asString(test['id'], 'id');
  const inputs = asObject(test['inputs'], id);
  const program = validate(programOf(test['program'], id), { fragment: true, where: id });
  const pixels = asBytes(inputs['pixels'], id);
  const batch = asInteger(inputs['batch'], id);
  const stored = mapObject(test['expected'], id, asObject);
  const exact = exactValues(program, pixels, batch);
  return {
    subject: asString(file['op'], 'op'),
    id,
    catches: asArray(test['flags'], id).map((flag) => notes[asString(flag, id)] ?? asString(flag, id)),
    program,
    batch,
    pixels,
    digest: (value) => {
      const digest = stored[value]?.['sha256'];
      return digest === undefined ? undefined : asString(digest, id);
    },
    expected: (value) => {
      const data = stored[value]?.['data'];
      // Large tensors are stored as their sha256: only a difference needs their elements.
      return data === undefined ? exact(value) : elements(typeOf(program, value).dtype, asBytes(data, id));
    },
  };
}

/** Whether a parsed JSON file holds vectors of this kit's kind; reads what lists them, not yet the programs. */
export function readVectorFile(json: unknown): VectorFile {
  const file = asObject(json, 'the whole');
  if (file['schema'] !== SCHEMA)
    throw new TypeError(`a vector file of schema ${String(file['schema'])}, not ${SCHEMA}`);
  const op = asString(file['op'], 'op');
  const notes = mapObject(file['notes'], 'notes', asString);
  const groups = asArray(file['groups'], 'groups').map((entry) => {
    const group = asObject(entry, 'a group');
    const tests = asArray(group['tests'], 'tests');
    return {
      name: asString(asObject(group['attributes'], 'attributes')['name'], 'name'),
      cases: () => tests.map((test) => caseOf(test, file, notes)),
    };
  });
  return { op, notes, groups };
}
