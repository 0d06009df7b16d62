import { createProgramBuilder, modelId, type Op, type Program, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../test/raw-file.js';
import { sampleProgram } from '../../test/sample-program.js';
import { readSafetensors } from '../safetensors/read.js';
import { writeSafetensors } from '../safetensors/write.js';
import { PROGRAM_KEY, readProgram } from './read.js';
import { writeProgram } from './write.js';

type Path = readonly (string | number)[];

function isObject(node: unknown): node is Record<string | number, unknown> {
  return typeof node === 'object' && node !== null;
}

/** The node of a JSON tree at a path. */
function at(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>((node, key) => (isObject(node) ? node[key] : undefined), tree);
}

/** Sets, or with `undefined` removes, the node at a path. */
function put(tree: unknown, path: Path, value: unknown): void {
  const parent = at(tree, path.slice(0, -1));
  const key = path.at(-1);
  if (!isObject(parent) || key === undefined) throw new Error(`no such path: ${path.join('.')}`);
  if (value === undefined) delete parent[key];
  else Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Every path of a JSON tree. */
function* paths(tree: unknown, path: Path = []): Generator<Path> {
  yield path;
  if (Array.isArray(tree)) for (const [index, item] of tree.entries()) yield* paths(item, [...path, index]);
  else if (isObject(tree)) for (const [key, member] of Object.entries(tree)) yield* paths(member, [...path, key]);
}

function sampleTree(): unknown {
  return JSON.parse(readSafetensors(writeProgram(sampleProgram())).metadata[PROGRAM_KEY] ?? '');
}

/** The sample's file with the text of its JSON changed. */
function rewritten(rewrite: (text: string) => string): Uint8Array {
  const file = readSafetensors(writeProgram(sampleProgram()));
  return writeSafetensors(file.tensors.values(), { [PROGRAM_KEY]: rewrite(file.metadata[PROGRAM_KEY] ?? '') });
}

/** The sample's file with the node at a path set, or removed. */
function edited(path: string | Path, value?: unknown): Uint8Array {
  return rewritten((text) => {
    const tree: unknown = JSON.parse(text);
    put(tree, typeof path === 'string' ? path.split('.') : path, value);
    return JSON.stringify(tree);
  });
}

/** A path as errors show it. */
function shown(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .slice(1);
}

describe('a program file', () => {
  it('gives back the program, with every op and every optional field', () => {
    const bytes = writeProgram(sampleProgram());
    const program = readProgram(bytes);
    expect(structuredClone(program)).toStrictEqual(sampleProgram());
    expect(writeProgram(program)).toStrictEqual(bytes);
    const used = new Set(program.ops.map(({ op }) => op));
    expect(used.size).toBe(13);
  });

  it('copies the constants, or with `borrow` keeps windows on the bytes where they are aligned', () => {
    const bytes = writeProgram(sampleProgram());
    const copied = readProgram(bytes);
    for (const { data } of Object.values(copied.constants)) expect(data.buffer).not.toBe(bytes.buffer);
    const shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    for (const source of [bytes, shifted]) {
      const borrowed = readProgram(source, { borrow: true });
      expect(structuredClone(borrowed.constants)).toStrictEqual(structuredClone(copied.constants));
      for (const { dtype, data } of Object.values(borrowed.constants)) {
        const aligned = source === bytes || dtype === 'i8' || dtype === 'u8';
        expect(data.buffer === source.buffer).toBe(aligned);
      }
    }
  });

  it('gives back a program without optional fields', () => {
    const program: Program = {
      spec: 'ivit/1',
      input: 'x',
      values: { x: { dtype: 'u8', shape: [1] } },
      ops: [],
      constants: {},
      output: 'x',
      outputShift: 0,
    };
    expect(structuredClone(readProgram(writeProgram(program)))).toStrictEqual(program);
  });

  it('is an ordinary safetensors file with the constants under their names', () => {
    const file = readSafetensors(writeProgram(sampleProgram()));
    expect(Object.keys(file.metadata)).toStrictEqual([PROGRAM_KEY]);
    expect([...file.tensors.keys()].sort()).toStrictEqual(Object.keys(sampleProgram().constants).sort());
    expect(file.tensors.get('ramp')).toMatchObject({ dtype: 'I16', shape: [3] });
    expect([...(file.tensors.get('ramp')?.bytes ?? [])]).toStrictEqual([0, 128, 255, 127, 0, 0]);
  });

  it('does not depend on the order of keys', () => {
    const program = sampleProgram();
    const turned = Object.fromEntries(Object.entries(program).reverse());
    const constants = Object.fromEntries(Object.entries(program.constants).reverse());
    expect(writeProgram({ ...program, ...turned, constants })).toStrictEqual(writeProgram(program));
  });

  it('survives validate: same id, same bytes, facts left out', () => {
    const builder = createProgramBuilder('pixels', [2, 2, 3]);
    const table = Int8Array.from({ length: 256 }, (_, i) => i - 128);
    builder.constant('table', 'i8', [256], table);
    builder.constant(
      'head.weight',
      'i8',
      [4, 12],
      Int8Array.from({ length: 48 }, (_, i) => (i % 11) - 5),
    );
    builder.add({ op: 'lookup', result: 'codes', x: { value: 'pixels' }, table: 'table' });
    builder.add({ op: 'linear', result: 'logits', x: builder.reshape('codes', [12]), w: 'head.weight' });
    const program = builder.build({ output: 'logits', labels: ['a', 'b', 'c', 'd'] });
    const bytes = writeProgram(program);
    const validated = validate(readProgram(bytes));
    expect(modelId(validated)).toBe(modelId(program));
    expect(writeProgram(validated)).toStrictEqual(bytes);
  });

  it('lets no name reach a prototype', () => {
    const program = readProgram(writeProgram(sampleProgram()));
    expect(Object.getPrototypeOf(program.values)).toBeNull();
    expect(Object.getPrototypeOf(program.constants)).toBeNull();
  });

  it('copies the data of constants', () => {
    const bytes = writeProgram(sampleProgram());
    const program = readProgram(bytes);
    bytes.fill(0);
    expect(program.constants['slot']?.data).toStrictEqual(Int8Array.of(-128, 0, 127));
    expect(program.constants['weight/a.b-c_1']?.data).toStrictEqual(Uint8Array.of(255));
  });
});

describe('readProgram, field by field', () => {
  const tree = sampleTree();
  const optional = new Set([
    ...['channels', 'addend', 'row', 'bias', 'k'].map((field) => `requantize.${field}`),
    ...['channels', 'slot'].map((field) => `rowquantize.${field}`),
    ...[
      'linear.b',
      'layernorm.b',
      'softmax.log2',
      'matmul.log2',
      'view',
      'image',
      'labels',
      'unknownBelow',
      'provenance',
      'selfCheck',
    ],
    ...['sources', 'recipe', 'calibration', 'architecture', 'licence'].map((field) => `provenance.${field}`),
  ]);
  const isOptional = (path: Path): boolean => {
    const key = String(path.at(-1));
    const parent = String(
      path[0] === 'ops' && path.length === 3 ? at(tree, [...path.slice(0, -1), 'op']) : path.at(-2),
    );
    return (
      optional.has(`${parent}.${key}`) ||
      (key === 'view' && path.length > 3) ||
      (path.length === 1 && optional.has(key))
    );
  };
  const all = [...paths(tree)].filter((path) => path.length > 0);
  // Members of dictionaries and items of lists may go: what then no longer fits together is for `validate` to say.
  const fieldPaths = all.filter((path) => {
    const parent = shown(path.slice(0, -1));
    return typeof path.at(-1) === 'string' && parent !== 'values' && parent !== 'constants';
  });

  it('knows enough fields for these tests to mean something', () => {
    expect(fieldPaths.length).toBeGreaterThan(150);
  });

  it('refuses any required field that is missing, and only those', () => {
    let refused = 0;
    for (const path of fieldPaths) {
      const bytes = edited(path);
      if (isOptional(path)) {
        readProgram(bytes);
        continue;
      }
      const error = refusal(() => readProgram(bytes, { where: 'm' }));
      expect(error.code).toBe('E_PROGRAM_FIELD');
      expect(error.where).toMatch(/^m, /);
      expect(`${error.where} `).toContain(shown(path.slice(0, -1)));
      refused += 1;
    }
    expect(refused).toBeGreaterThan(100);
  });

  it('refuses an unknown field in any object', () => {
    let refused = 0;
    for (const path of paths(tree)) {
      const node = at(tree, path);
      const place = shown(path);
      if (typeof node !== 'object' || Array.isArray(node) || place === 'values' || place === 'constants') continue;
      const error = refusal(() => readProgram(edited([...path, 'extra'], 1)));
      expect(error.code).toBe('E_PROGRAM_FIELD');
      expect(error.where).toBe(`program file, ${place === '' ? '' : `${place}.`}extra`);
      refused += 1;
    }
    expect(refused).toBeGreaterThan(50);
  });

  it('refuses any value of a wrong type', () => {
    for (const path of all) {
      const value: unknown = at(tree, path);
      // A parameter may be a number or an object; an operand, a view, a shape only what they are.
      const wrong: unknown[] = [null, true, [[]], { a: 0 }];
      if (typeof value !== 'number' && !(typeof value === 'object' && value !== null && 'constant' in value))
        wrong.push(7);
      if (typeof value !== 'string') wrong.push('7');
      for (const replacement of wrong) {
        const bytes = edited(path, replacement);
        const error = refusal(() => readProgram(bytes));
        expect(['E_PROGRAM_TYPE', 'E_PROGRAM_FIELD', 'E_PROGRAM_OP']).toContain(error.code);
        expect(error.where).toContain(shown(path));
      }
    }
  });

  it('refuses any number that is no exact integer', () => {
    const marker = 77_777_777;
    let refused = 0;
    for (const path of all) {
      if (typeof at(tree, path) !== 'number') continue;
      for (const text of ['1.5', '1.0', '1e3', '-0', '9007199254740992', '1e400']) {
        const bytes = rewritten((json) => {
          const copy: unknown = JSON.parse(json);
          put(copy, path, marker);
          return JSON.stringify(copy).replace(String(marker), text);
        });
        const error = refusal(() => readProgram(bytes));
        expect(error.code).toBe('E_PROGRAM_TYPE');
        expect(error.where).toMatch(/byte \d+ of ivit\.program$/);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(300);
  });

  it('refuses bad names wherever one stands', () => {
    const names = [...paths(tree)].filter(
      (path) =>
        [
          'input',
          'output',
          'result',
          'value',
          'constant',
          'table',
          'w',
          'b',
          'rows',
          'channels',
          'slot',
          'bias',
        ].includes(String(path.at(-1))) && typeof at(tree, path) === 'string',
    );
    expect(names.length).toBeGreaterThan(30);
    for (const path of names) {
      for (const bad of ['', 'a b', 'ä', 'a\n', '../a', 'x'.repeat(201), '__proto__', '__metadata__', 'constructor']) {
        const error = refusal(() => readProgram(edited(path, bad)));
        expect(error.code).toBe('E_PROGRAM_NAME');
        expect(error.where).toBe(`program file, ${shown(path)}`);
      }
    }
  });
});

describe('readProgram refuses', () => {
  const cases: readonly (readonly [what: string, bytes: Uint8Array, code: string, where: RegExp])[] = [
    ['a file of weights', writeSafetensors([], { format: 'pt' }), 'FILE', /^program file$/],
    [
      'a later spec, whatever else it holds',
      rewritten((text) => text.replace('"spec":"ivit/1"', '"spec":"ivit/2","news":1')),
      'SPEC',
      /spec$/,
    ],
    ['an unknown op', edited('ops.3.op', 'relu'), 'OP', /ops\[3\]\.op$/],
    ['an inherited name as op', edited('ops.3.op', 'toString'), 'OP', /ops\[3\]\.op$/],
    ['a number as op', edited('ops.3.op', 3), 'OP', /ops\[3\]\.op$/],
    ['a field of another op', edited('ops.5.axis', 0), 'FIELD', /ops\[5\]\.axis$/],
    ['a value and a constant at once', edited('ops.0.x.constant', 'm'), 'FIELD', /ops\[0\]\.x\.constant$/],
    ['two kinds of exponential', edited('ops.7.exponential.table', 'm'), 'FIELD', /ops\[7\]\.exponential\.pow2$/],
    ['bits of 12', edited('ops.7.bits', 12), 'TYPE', /ops\[7\]\.bits$/],
    ['requantize to u8', edited('ops.2.to', 'u8'), 'TYPE', /ops\[2\]\.to$/],
    ['a dtype of f32', edited('values.v1.dtype', 'f32'), 'TYPE', /values\.v1\.dtype$/],
    ['a negative size', edited('values.v1.shape', [-1]), 'PARAMETER', /values\.v1\.shape\[0\]$/],
    ['a rank of 17', edited('values.v1.shape', Array(17).fill(1)), 'LIMIT', /values\.v1\.shape$/],
    ['a negative view offset', edited('ops.2.x.view.offset', -1), 'PARAMETER', /ops\[2\]\.x\.view\.offset$/],
    ['a seed beyond 32 bits', edited('selfCheck.seed', 2 ** 32), 'PARAMETER', /selfCheck\.seed$/],
    ['a hash in capitals', edited('selfCheck.sha256', 'AB'.repeat(32)), 'TYPE', /selfCheck\.sha256$/],
    ['a hash cut short', edited('provenance.calibration.1', 'ab'), 'TYPE', /calibration\[1\]$/],
    ['a score above 65536', edited('unknownBelow', 65537), 'PARAMETER', /unknownBelow$/],
    ['a label of 1001 characters', edited('labels', ['x'.repeat(1001)]), 'LIMIT', /labels\[0\]$/],
    ['a crop of 0', edited('image.crop.height', 0), 'PARAMETER', /image\.crop\.height$/],
    ['an undeclared tensor', edited('constants.ramp'), 'CONSTANT', /tensor "ramp", byte \d+$/],
    [
      'a constant without a tensor',
      edited('constants.gone', { dtype: 'i8', shape: [1] }),
      'CONSTANT',
      /constants\.gone$/,
    ],
    [
      'another dtype than the tensor has',
      edited('constants.slot.dtype', 'u8'),
      'CONSTANT',
      /constants\.slot, byte \d+$/,
    ],
    [
      'another shape than the tensor has',
      edited('constants.table.shape', [3, 2]),
      'CONSTANT',
      /constants\.table, byte \d+$/,
    ],
    ['a bad constant name', edited('constants.a b', { dtype: 'i8', shape: [1] }), 'NAME', /constants\.a b$/],
    ['no JSON', rewritten(() => ''), 'JSON', /byte 0 of ivit\.program$/],
    ['JSON cut short', rewritten((text) => text.slice(0, -1)), 'JSON', /byte \d+ of ivit\.program$/],
    ['text behind the JSON', rewritten((text) => `${text}{}`), 'JSON', /byte \d+ of ivit\.program$/],
    ['an array', rewritten(() => '[]'), 'TYPE', /^program file$/],
    ['null', rewritten(() => 'null'), 'TYPE', /^program file$/],
    [
      'a key twice',
      rewritten((text) => text.replace('"spec":', '"output":"a","spec":')),
      'DUPLICATE',
      /byte \d+ of ivit\.program$/,
    ],
    [
      'a key twice inside an op',
      rewritten((text) => text.replace('"op":"mean"', '"op":"mean","op":"mean"')),
      'DUPLICATE',
      /byte \d+ of/,
    ],
    [
      'a __proto__ key',
      rewritten((text) => text.replace('"values":{', '"values":{"__proto__":{},')),
      'NAME',
      /byte \d+ of ivit\.program$/,
    ],
    [
      'a constructor key',
      rewritten((text) => text.replace('"values":{', '"values":{"constructor":{},')),
      'NAME',
      /byte \d+ of/,
    ],
    ['deep nesting', rewritten(() => `{"ops":${'['.repeat(1_000_000)}`), 'LIMIT', /byte 22 of ivit\.program$/],
    [
      'millions of values',
      rewritten(() => `{"ops":[${'0,'.repeat(2_000_000)}0]}`),
      'LIMIT',
      /byte \d+ of ivit\.program$/,
    ],
  ];
  it.each(cases)('%s', (_what, bytes, code, where) => {
    const error = refusal(() => readProgram(bytes));
    expect(error.code).toBe(`E_PROGRAM_${code}`);
    expect(error.where).toMatch(/^program file/);
    expect(error.where).toMatch(where);
    expect(error.hint?.length).toBeGreaterThan(10);
  });

  it('metadata beside the program', () => {
    const file = readSafetensors(writeProgram(sampleProgram()));
    const bytes = writeSafetensors(file.tensors.values(), { ...file.metadata, format: 'pt' });
    const error = refusal(() => readProgram(bytes));
    expect(error.code).toBe('E_PROGRAM_FIELD');
    expect(error.where).toBe('program file, __metadata__["format"]');
  });

  it('a damaged container with the container’s code', () => {
    const error = refusal(() => readProgram(writeProgram(sampleProgram()).subarray(1), { where: 'a.ivit' }));
    expect(error.code).toMatch(/^E_SAFETENSORS_/);
    expect(error.where).toMatch(/^a\.ivit, /);
  });
});

describe('writeProgram refuses', () => {
  const withConstant = (constant: object): Program => ({
    ...sampleProgram(),
    ...JSON.parse('{}'),
    constants: { c: constant },
  });
  const withOp = (op: object): Program => ({ ...sampleProgram(), ops: [op as Op] });
  const op: Op = { op: 'mean', result: 'a', x: { value: 'b' }, axis: 0 };

  it.each<[string, Program, string, string]>([
    [
      'data of another class',
      withConstant({ dtype: 'i8', shape: [1], data: Uint8Array.of(1) }),
      'CONSTANT',
      'constants.c.data',
    ],
    [
      'data of another length',
      withConstant({ dtype: 'i8', shape: [2], data: Int8Array.of(1) }),
      'CONSTANT',
      'constants.c.data',
    ],
    ['a plain array as data', withConstant({ dtype: 'i8', shape: [1], data: [1] }), 'CONSTANT', 'constants.c.data'],
    [
      'a float array as data',
      withConstant({ dtype: 'i32', shape: [1], data: Float32Array.of(1) }),
      'CONSTANT',
      'constants.c.data',
    ],
    ['no data', withConstant({ dtype: 'i8', shape: [1] }), 'CONSTANT', 'constants.c.data'],
    [
      'a field too many in a constant',
      withConstant({ dtype: 'i8', shape: [0], data: new Int8Array(0), n: 1 }),
      'FIELD',
      'constants.c.n',
    ],
    ['a fraction', withOp({ ...op, axis: 0.5 }), 'TYPE', 'ops[0].axis'],
    ['minus zero', withOp({ ...op, axis: -0 }), 'TYPE', 'ops[0].axis'],
    ['NaN', withOp({ ...op, axis: Number.NaN }), 'TYPE', 'ops[0].axis'],
    ['an undefined field', withOp({ ...op, axis: undefined }), 'TYPE', 'ops[0].axis'],
    ['an unknown field', withOp({ ...op, keep: 1 }), 'FIELD', 'ops[0].keep'],
    ['an unknown op', withOp({ ...op, op: 'relu' }), 'OP', 'ops[0].op'],
    ['a bad name', withOp({ ...op, result: 'a b' }), 'NAME', 'ops[0].result'],
    ['half a surrogate pair', { ...sampleProgram(), labels: ['\ud800'] }, 'TYPE', 'labels[0]'],
  ])('%s', (_what, program, code, where) => {
    const error = refusal(() => writeProgram(program));
    expect(error.code).toBe(`E_PROGRAM_${code}`);
    expect(error.where).toBe(`program, ${where}`);
  });

  it('a bad constant name', () => {
    const constants = JSON.parse('{"__proto__":{"dtype":"i8","shape":[0]}}');
    expect(refusal(() => writeProgram({ ...sampleProgram(), constants })).code).toBe('E_PROGRAM_NAME');
  });
});
