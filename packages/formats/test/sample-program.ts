import type { Op, Program, ValueType } from '@ivit/program';

const OPS: readonly Op[] = [
  { op: 'lookup', result: 'v1', x: { value: 'pixels' }, table: 'table' },
  { op: 'gather', result: 'v2', x: { value: 'v1' }, rows: 'rows', width: 3 },
  {
    op: 'requantize',
    result: 'v3',
    x: { value: 'v2', view: { offset: 0, shape: [2, 3], strides: [3, 1] } },
    m: { constant: 'm' },
    e: 20,
    z: -3,
    axis: 1,
    run: 1,
    to: 'i16',
    channels: 'channels',
    addend: { operand: { constant: 'weight', view: { offset: 1, shape: [1], strides: [0] } }, m: 3, e: 0 },
    row: { value: 'v4' },
    bias: 'bias',
    k: 4,
  },
  { op: 'rowscale', result: 'v4', x: { value: 'v3' }, cp: 127, cn: { constant: 'm' } },
  {
    op: 'rowquantize',
    result: 'v5',
    x: { value: 'v3' },
    row: { value: 'v4' },
    z: 0,
    channels: 'channels',
    slot: 'slot',
  },
  { op: 'linear', result: 'v6', x: { value: 'v5' }, w: 'weight', b: 'bias' },
  { op: 'matmul', result: 'v7', a: { value: 'v5' }, b: { constant: 'weight' } },
  { op: 'softmax', result: 'v8', x: { value: 'v5' }, exponential: { pow2: 8 }, bits: 16 },
  { op: 'softmax', result: 'v9', x: { value: 'v5' }, exponential: { shift: -42, n: 15 }, bits: 8 },
  { op: 'softmax', result: 'v10', x: { value: 'v5' }, exponential: { table: 'bias' }, bits: 8 },
  { op: 'softmax', result: 'v15', x: { value: 'v5' }, exponential: { pow2: 8 }, bits: 8, log2: 4 },
  { op: 'matmul', result: 'v16', a: { value: 'v15' }, b: { constant: 'weight' }, log2: 4 },
  { op: 'shiftgelu', result: 'v11', x: { value: 'v5' }, x0: -7, n: 23 },
  { op: 'layernorm', result: 'v12', x: { value: 'v5' }, b: 'bias' },
  { op: 'ramplookup', result: 'v13', x: { value: 'v3' }, table: 'ramp', u: 5 },
  { op: 'mean', result: 'v14', x: { value: 'v5' }, axis: 0 },
  { op: 'concat', result: 'logits', operands: [{ value: 'v6' }, { constant: 'bias' }] },
];

/** A program with every op, every optional field and every constant dtype. It has a structure, but no meaning. */
export function sampleProgram(): Program {
  const values: Record<string, ValueType> = { pixels: { dtype: 'u8', shape: [2, 2, 3] } };
  for (const { op, result } of OPS) values[result] = { dtype: op === 'rowscale' ? 'u8' : 'i32', shape: [2, 3] };
  return {
    spec: 'ivit/1',
    input: 'pixels',
    values,
    ops: OPS,
    constants: {
      bias: { dtype: 'i32', shape: [3], data: Int32Array.of(-2147483648, 0, 2147483647) },
      channels: { dtype: 'i32', shape: [3], data: Int32Array.of(2, 0, 1) },
      empty: { dtype: 'i32', shape: [0, 3], data: new Int32Array(0) },
      m: { dtype: 'i32', shape: [3], data: Int32Array.of(1, 2, 3) },
      ramp: { dtype: 'i16', shape: [3], data: Int16Array.of(-32768, 32767, 0) },
      rows: { dtype: 'i32', shape: [2], data: Int32Array.of(1, 0) },
      slot: { dtype: 'i8', shape: [3], data: Int8Array.of(-128, 0, 127) },
      table: { dtype: 'i8', shape: [2, 3], data: Int8Array.of(1, 2, 3, -1, -2, -3) },
      'weight/a.b-c_1': { dtype: 'u8', shape: [1], data: Uint8Array.of(255) },
      weight: { dtype: 'i8', shape: [3, 3], data: Int8Array.from({ length: 9 }, (_, i) => i - 4) },
    },
    output: 'logits',
    outputShift: 16,
    image: { resize: 256, interpolation: 'bicubic', crop: { height: 2, width: 2 } },
    labels: ['ein "Hund"', 'кошка', '😀\n\u0000'],
    unknownBelow: 65536,
    provenance: {
      sources: [{ name: 'model.safetensors', sha256: 'ab'.repeat(32) }],
      recipe: 'ptq@1',
      calibration: ['01'.repeat(32), '23'.repeat(32)],
      architecture: 'vit',
      licence: 'Apache-2.0',
    },
    selfCheck: { seed: 4294967295, sha256: 'cd'.repeat(32) },
  };
}
