import { describe, expect, it } from 'vitest';
import {
  createProgramBuilder,
  IvitError,
  modelId,
  type Op,
  type Program,
  printProgram,
  type View,
  validate,
} from './index.js';

/** Pixels → i8 → linear → rowless requantize: the smallest whole model. */
function tiny(change: (program: Program) => Program = (program) => program): Program {
  const b = createProgramBuilder('pixels', [2, 2, 3]);
  b.constant(
    'center',
    'i8',
    [256],
    Array.from({ length: 256 }, (_, i) => i - 128),
  );
  b.constant(
    'w',
    'i8',
    [2, 12],
    Array.from({ length: 24 }, (_, i) => (i % 7) - 3),
  );
  b.constant('b', 'i32', [2], [5, -7]);
  b.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'center' });
  b.add({ op: 'linear', result: 'head', x: b.reshape('x', [12]), w: 'w', b: 'b' });
  b.add({ op: 'requantize', result: 'logits', x: { value: 'head' }, m: 3, e: 1, z: 0, axis: 0, run: 0, to: 'i32' });
  return change(b.build({ output: 'logits', labels: ['a', 'b'] }));
}

function replaceOp(program: Program, result: string, change: (op: Op) => unknown): Program {
  return { ...program, ops: program.ops.map((op) => (op.result === result ? (change(op) as Op) : op)) };
}

function codeOf(program: Program, options?: Parameters<typeof validate>[1]): string {
  try {
    validate(program, options);
  } catch (error) {
    if (IvitError.isInstance(error)) return error.code;
    throw error;
  }
  return 'none';
}

describe('validate', () => {
  it('proves intervals, costs and numerators', () => {
    const { facts } = validate(tiny());
    expect(facts.intervals['x']).toEqual({ lo: -128, hi: 127 });
    const reach = Math.max(
      ...[0, 1].map((n) => {
        const row = Array.from({ length: 12 }, (_, k) => Math.abs(((n * 12 + k) % 7) - 3));
        return row.reduce((a, c) => a + c, 0) * 128 + (n === 0 ? 5 : 7);
      }),
    );
    expect(Math.max(-(facts.intervals['head']?.lo ?? 0), facts.intervals['head']?.hi ?? 0)).toBeLessThanOrEqual(reach);
    expect(facts.macs).toBe(24);
    expect(facts.numeratorBits['logits']).toBeGreaterThan(0);
    expect(facts.ops).toEqual({ lookup: 1, linear: 1, requantize: 1 });
  });

  it('prints one line per op', () => {
    expect(printProgram(tiny())).toMatchInlineSnapshot(`
      "ivit/1  input pixels: u8[2,2,3]
      x: i8[2,2,3] = lookup(pixels, $center)
      head: i32[2] = linear(x[0; 12; 1], $w, $b)
      logits: i32[2] = requantize(head, m=3, e=1, z=0)
      output logits, unit 2^-0
      "
    `);
  });

  const refused: readonly [string, string, (program: Program) => Program][] = [
    ['a foreign spec', 'E_PROGRAM_SPEC', (p) => ({ ...p, spec: 'ivit/9' as 'ivit/1' })],
    ['an unknown op', 'E_PROGRAM_OP', (p) => replaceOp(p, 'x', (op) => ({ ...op, op: 'tanh' }))],
    [
      'a view that reads past the end',
      'E_PROGRAM_BOUNDS',
      (p) =>
        replaceOp(p, 'head', (op) => ({ ...op, x: { value: 'x', view: { offset: 1, shape: [12], strides: [1] } } })),
    ],
    [
      'a view that reads before the start',
      'E_PROGRAM_BOUNDS',
      (p) =>
        replaceOp(p, 'head', (op) => ({ ...op, x: { value: 'x', view: { offset: 0, shape: [12], strides: [-1] } } })),
    ],
    [
      'a fractional stride',
      'E_PROGRAM_VIEW',
      (p) =>
        replaceOp(p, 'head', (op) => ({ ...op, x: { value: 'x', view: { offset: 0, shape: [12], strides: [0.5] } } })),
    ],
    ['a shift beyond 62', 'E_PROGRAM_PARAMETER', (p) => replaceOp(p, 'logits', (op) => ({ ...op, e: 63 }))],
    ['a multiplier of 2^31', 'E_PROGRAM_PARAMETER', (p) => replaceOp(p, 'logits', (op) => ({ ...op, m: 2 ** 31 }))],
    ['a missing constant', 'E_PROGRAM_CONSTANT', (p) => replaceOp(p, 'head', (op) => ({ ...op, w: 'nowhere' }))],
    [
      'an inherited name as constant',
      'E_PROGRAM_CONSTANT',
      (p) => replaceOp(p, 'head', (op) => ({ ...op, w: 'toString' })),
    ],
    ['an op before its operand', 'E_PROGRAM_ORDER', (p) => ({ ...p, ops: [...p.ops].reverse() })],
    ['a value made twice', 'E_PROGRAM_VALUE', (p) => ({ ...p, ops: [p.ops[0] as Op, ...p.ops] })],
    [
      'a value nobody makes',
      'E_PROGRAM_VALUE',
      (p) => ({
        ...p,
        values: { ...p.values, ghost: { dtype: 'i8', shape: [1] } },
      }),
    ],
    [
      'a wrong declared shape',
      'E_PROGRAM_SHAPE',
      (p) => ({
        ...p,
        values: { ...p.values, head: { dtype: 'i32', shape: [3] } },
      }),
    ],
    [
      'a lying constant',
      'E_PROGRAM_SHAPE',
      (p) => ({
        ...p,
        constants: { ...p.constants, b: { dtype: 'i32', shape: [2], data: new Int32Array(3) } },
      }),
    ],
    [
      'a constant of another class',
      'E_PROGRAM_DTYPE',
      (p) => ({
        ...p,
        constants: { ...p.constants, b: { dtype: 'i32', shape: [2], data: new Uint8Array(8) } },
      }),
    ],
    [
      'an accumulator that overflows',
      'E_PROGRAM_OVERFLOW',
      (p) => ({
        ...p,
        constants: { ...p.constants, b: { dtype: 'i32', shape: [2], data: Int32Array.of(2 ** 31 - 1, 0) } },
      }),
    ],
    ['labels that do not fit', 'E_PROGRAM_OUTPUT', (p) => ({ ...p, labels: ['a'] })],
    ['an output nobody makes', 'E_PROGRAM_OUTPUT', (p) => ({ ...p, output: 'nothing' })],
    [
      'an unsafe name',
      'E_PROGRAM_NAME',
      (p) => ({
        ...p,
        values: { ...p.values, ['a b']: { dtype: 'i8', shape: [1] } },
      }),
    ],
    [
      'a reserved name',
      'E_PROGRAM_NAME',
      (p) => ({ ...p, values: { ...p.values, constructor: { dtype: 'i8', shape: [1] } as const } }),
    ],
    [
      'a huge value',
      'E_PROGRAM_LIMIT',
      (p) => ({
        ...p,
        values: { ...p.values, x: { dtype: 'i8', shape: [2 ** 20, 2 ** 20, 2 ** 20] } },
      }),
    ],
  ];
  it.each(refused)('refuses %s with %s', (_, code, change) => {
    expect(codeOf(tiny(change))).toBe(code);
  });

  it('keeps the limits it is given', () => {
    expect(codeOf(tiny(), { limits: { macs: 23 } })).toBe('E_PROGRAM_LIMIT');
    expect(codeOf(tiny(), { limits: { ops: 2 } })).toBe('E_PROGRAM_LIMIT');
    expect(codeOf(tiny(), { limits: { bytes: 100 } })).toBe('E_PROGRAM_LIMIT');
    expect(codeOf(tiny(), { limits: { macs: 24, ops: 3 } })).toBe('none');
  });

  /** The first pixel, repeated. */
  function stretched(shape: readonly number[]): { readonly value: string; readonly view: View } {
    return { value: 'pixels', view: { offset: 0, shape, strides: shape.map(() => 0) } };
  }

  it('bounds what broadcasting views make of a small input', () => {
    const mean = (shape: readonly number[]): (() => Program) => {
      return () => {
        const b = createProgramBuilder('pixels', [1]);
        b.add({ op: 'mean', result: 'y', x: stretched(shape), axis: 0 });
        return b.build({ output: 'y' });
      };
    };
    expect(mean([2 ** 31])).toThrow(/view of 'pixels' has 2147483648 elements/);
    expect(mean([2 ** 16, 2 ** 16])).toThrow(/elements, more than 2147483647/);
    const program = mean([1000])();
    expect(codeOf(program, { fragment: true, limits: { bytes: 1001 } })).toBe('E_PROGRAM_LIMIT');
    expect(codeOf(program, { fragment: true, limits: { bytes: 1002 } })).toBe('none');
  });

  it('refuses a mean whose sum no double holds exactly', () => {
    const mean = (size: number): Program => {
      const b = createProgramBuilder('pixels', [1]);
      b.add({
        op: 'requantize',
        result: 'x',
        x: { value: 'pixels' },
        m: -(2 ** 23),
        e: 0,
        z: 0,
        axis: 0,
        run: 0,
        to: 'i32',
      });
      b.add({ op: 'mean', result: 'y', x: { ...stretched([size]), value: 'x' }, axis: 0 });
      return b.build({ output: 'y' });
    };
    const largest = Math.floor((2 ** 51 - 1) / (255 * 2 ** 23));
    expect(codeOf(mean(largest), { fragment: true })).toBe('none');
    expect(() => mean(largest + 1)).toThrow(/beyond 2\^51/);
  });

  it('spends no memory on channels that nothing tells apart', () => {
    const size = 2 ** 30;
    const b = createProgramBuilder('pixels', [1]);
    b.add({ op: 'requantize', result: 'y', x: stretched([size]), m: 1, e: 0, z: 0, axis: 0, run: 1, to: 'i16' });
    b.add({ op: 'rowscale', result: 'row', x: { value: 'y' }, cp: 127, cn: 128 });
    expect(b.interval('y')).toEqual({ lo: 0, hi: 255 });
    expect(codeOf(b.build({ output: 'row' }), { fragment: true })).toBe('none');
  });

  it('names the file it is told, and what to do', () => {
    const bad = tiny((p) => replaceOp(p, 'head', (op) => ({ ...op, w: 'nowhere' })));
    expect(() => validate(bad, { where: 'model.safetensors' })).toThrow(
      /nowhere.*\(model\.safetensors, ops\[1\] linear -> head, w\)\. .*make it again/,
    );
  });

  it('names op and field', () => {
    const bad = tiny((p) => replaceOp(p, 'head', (op) => ({ ...op, w: 'nowhere' })));
    expect(() => validate(bad)).toThrow(/nowhere.*ops\[1\] linear -> head, w/);
  });

  it('needs the row bound of softmax for more than 512 keys', () => {
    const keys = 600;
    const build = (exponential: { shift: number; n: number }): Program => {
      const b = createProgramBuilder('pixels', [1, keys, 1]);
      b.constant(
        'center',
        'i8',
        [256],
        Array.from({ length: 256 }, (_, i) => i - 128),
      );
      b.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'center' });
      b.add({ op: 'softmax', result: 'p', x: b.reshape('x', [1, keys]), exponential, bits: 16 });
      b.add({ op: 'matmul', result: 'y', a: { value: 'p' }, b: b.reshape('x', [keys, 1]) });
      return b.build({ output: 'y' });
    };
    expect(codeOf(build({ shift: -20, n: 15 }), { fragment: true })).toBe('none');
    expect(() => build({ shift: -2000, n: 15 })).toThrow(/beyond 2\^31-1/);
  });
});

describe('modelId', () => {
  it('depends on what is computed and on nothing else', () => {
    const id = modelId(tiny());
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(modelId(tiny((p) => ({ ...p, labels: ['c', 'd'], provenance: { recipe: 'other' } })))).toBe(id);
    expect(modelId(tiny((p) => ({ ...p, values: Object.fromEntries(Object.entries(p.values).reverse()) })))).toBe(id);
    expect(modelId(tiny((p) => replaceOp(p, 'logits', (op) => ({ ...op, e: 2 }))))).not.toBe(id);
    const other = { dtype: 'i32', shape: [2], data: Int32Array.of(5, -8) } as const;
    expect(modelId(tiny((p) => ({ ...p, constants: { ...p.constants, b: other } })))).not.toBe(id);
  });
});
